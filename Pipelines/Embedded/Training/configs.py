"""Presets and the diffusers/transformers config.json files that belong to them."""

PRESETS = {
    # 128 px images, VAE factor 4 -> latents 32x32x4
    "h100": dict(size=128, vocab=4096, vae=[32, 64, 96], vae_layers=2, vae_groups=8,
                 unet=[96, 128, 160], heads=[3, 4, 5], depth=[1, 1, 1], layers=1, groups=16,
                 known=False, backgrounds=18, attention=[0, 1, 1], min_weight=1, te1=(128, 4, 3), te2=(128, 4, 4), proj=128),
    # for two CPU cores: 64 px images, factor 4 -> latents 16x16x4
    "cpu": dict(size=64, vocab=4096, vae=[32, 48, 64], vae_layers=1, vae_groups=8,
                unet=[48, 96, 128], heads=[2, 3, 4], depth=[1, 1, 1], layers=1, groups=16,
                known=True, backgrounds=12, attention=[0, 0, 1], min_weight=2.5, te1=(64, 2, 2), te2=(64, 2, 2), proj=64),
}
TIME_DIM = 32                         # addition_time_embed_dim: sinusoid size of each of the six numbers
SCHEDULE = dict(beta_start=0.00085, beta_end=0.012, num_train_timesteps=1000)


def vae(p, scaling=1.0):
    n = len(p["vae"])
    return {"_class_name": "AutoencoderKL", "_diffusers_version": "0.32.2", "act_fn": "silu", "block_out_channels": p["vae"],
            "down_block_types": ["DownEncoderBlock2D"] * n, "force_upcast": False, "in_channels": 3, "latent_channels": 4,
            "latents_mean": None, "latents_std": None, "layers_per_block": p["vae_layers"], "mid_block_add_attention": True,
            "norm_num_groups": p["vae_groups"], "out_channels": 3, "sample_size": p["size"], "scaling_factor": scaling,
            "shift_factor": None, "up_block_types": ["UpDecoderBlock2D"] * n, "use_post_quant_conv": True, "use_quant_conv": True}


def unet(p):
    n = len(p["unet"])
    return {"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.32.2", "act_fn": "silu",
            "addition_embed_type": "text_time", "addition_embed_type_num_heads": 64, "addition_time_embed_dim": TIME_DIM,
            "attention_head_dim": p["heads"], "attention_type": "default", "block_out_channels": p["unet"],
            "center_input_sample": False, "class_embed_type": None, "class_embeddings_concat": False, "conv_in_kernel": 3,
            "conv_out_kernel": 3, "cross_attention_dim": p["te1"][0] + p["te2"][0], "cross_attention_norm": None,
            "down_block_types": ["CrossAttnDownBlock2D" if a else "DownBlock2D" for a in p["attention"]], "downsample_padding": 1, "dropout": 0.0,
            "dual_cross_attention": False, "encoder_hid_dim": None, "encoder_hid_dim_type": None, "flip_sin_to_cos": True,
            "freq_shift": 0, "in_channels": 4, "layers_per_block": p["layers"], "mid_block_only_cross_attention": None,
            "mid_block_scale_factor": 1, "mid_block_type": "UNetMidBlock2DCrossAttn", "norm_eps": 1e-05,
            "norm_num_groups": p["groups"], "num_attention_heads": None, "num_class_embeds": None, "only_cross_attention": False,
            "out_channels": 4, "projection_class_embeddings_input_dim": p["proj"] + 6 * TIME_DIM,
            "resnet_out_scale_factor": 1.0, "resnet_skip_time_act": False, "resnet_time_scale_shift": "default",
            "reverse_transformer_layers_per_block": None, "sample_size": p["size"] >> (len(p["vae"]) - 1),
            "time_cond_proj_dim": None, "time_embedding_act_fn": None, "time_embedding_dim": None,
            "time_embedding_type": "positional", "timestep_post_act": None, "transformer_layers_per_block": p["depth"],
            "up_block_types": ["CrossAttnUpBlock2D" if a else "UpBlock2D" for a in p["attention"][::-1]], "upcast_attention": False, "use_linear_projection": True}


def clip(p, second, dtype="float32"):
    c, heads, layers = p["te2"] if second else p["te1"]
    return {"architectures": ["CLIPTextModelWithProjection" if second else "CLIPTextModel"], "attention_dropout": 0.0,
            "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "gelu" if second else "quick_gelu", "hidden_size": c,
            "initializer_factor": 1.0, "initializer_range": 0.02, "intermediate_size": 4 * c, "layer_norm_eps": 1e-05,
            "max_position_embeddings": 77, "model_type": "clip_text_model", "num_attention_heads": heads,
            "num_hidden_layers": layers, "pad_token_id": 1, "projection_dim": p["proj"], "torch_dtype": dtype,
            "transformers_version": "4.45.0.dev0", "vocab_size": p["vocab"]}


def scheduler(prediction, name="DPMSolverMultistepScheduler"):
    common = {"_class_name": name, "_diffusers_version": "0.32.2", "beta_end": SCHEDULE["beta_end"], "beta_schedule": "scaled_linear",
              "beta_start": SCHEDULE["beta_start"], "final_sigmas_type": "zero", "num_train_timesteps": SCHEDULE["num_train_timesteps"],
              "prediction_type": prediction, "rescale_betas_zero_snr": False, "steps_offset": 1, "timestep_spacing": "trailing",
              "trained_betas": None, "use_beta_sigmas": False, "use_exponential_sigmas": False, "use_karras_sigmas": False}
    if name == "EulerDiscreteScheduler":
        return {**common, "interpolation_type": "linear", "sigma_max": None, "sigma_min": None, "timestep_type": "discrete"}
    return {**common, "algorithm_type": "dpmsolver++", "dynamic_thresholding_ratio": 0.995, "euler_at_final": False, "flow_shift": 1.0,
            "lower_order_final": True, "sample_max_value": 1.0, "solver_order": 2, "solver_type": "midpoint", "thresholding": False,
            "use_flow_sigmas": False, "use_lu_lambdas": False, "variance_type": None}


def model_index(scheduler_name):
    d, t = (lambda n: ["diffusers", n]), (lambda n: ["transformers", n])
    return {"_class_name": "StableDiffusionXLPipeline", "_diffusers_version": "0.32.2", "feature_extractor": [None, None],
            "force_zeros_for_empty_prompt": True, "image_encoder": [None, None], "scheduler": d(scheduler_name),
            "text_encoder": t("CLIPTextModel"), "text_encoder_2": t("CLIPTextModelWithProjection"), "tokenizer": t("CLIPTokenizer"),
            "tokenizer_2": t("CLIPTokenizer"), "unet": d("UNet2DConditionModel"), "vae": d("AutoencoderKL")}
