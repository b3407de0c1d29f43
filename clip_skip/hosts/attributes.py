"""Every attribute that the extension reads from an object of a WebUI, or puts on one: the one table of them.

`tests/unit/test_contract.py` holds it: what `protocols` asks for and every name that is looked up by its text is in
it, and nothing else is. Where a host has no such attribute, a name that is looked up by its text reads as absent.
"""

from __future__ import annotations

from typing import NamedTuple

# On the job object: its `Job`; None there says "off for this job".
JOB_ATTRIBUTE = "clip_skip_job"
# On the job object: its `id`, which a copy of it has not.
OWNER_ATTRIBUTE = "clip_skip_job_of"
# On a grid's job object: what the grid's axes give this cell, a mapping of parameters.
AXES_ATTRIBUTE = "clip_skip_axes"
# On the job object: its `Comparison`, None where it makes each image once.
COMPARISON_ATTRIBUTE = "clip_skip_comparison"
# On our wrapper around a method of the A1111 line: the host's own function.
ORIGINAL_ATTRIBUTE = "__clip_skip_original__"
# The wrapper itself. `functools.wraps` copies our attributes to who wraps us, which then is not what it has here.
WRAPPER_ATTRIBUTE = "__clip_skip_wrapper__"
# On the class whose method is wrapped: what its wrappers of every load do now, by the method's name.
AROUND_ATTRIBUTE = "__clip_skip_around__"

PUT = "put"  # ours: the host knows nothing of it
CALLED = "called"
READ = "read"
CHANGED = "changed"  # the host's: written and put back, or written into


class Attribute(NamedTuple):
    """`owner` is the host's object, `hosts` who has it: "all", "a1111" (the line), "forge" (and Neo), "sdnext"."""

    owner: str
    name: str
    use: str
    hosts: str = "all"
    why: str = ""


ATTRIBUTES = (
    # The job object `p`, a StableDiffusionProcessing.
    Attribute("p", JOB_ATTRIBUTE, PUT, why="at its start; the copies that a grid makes of a job begin anew"),
    Attribute("p", OWNER_ATTRIBUTE, PUT, why="an inner pass that is a copy of a running job has not begun itself"),
    Attribute("p", AXES_ATTRIBUTE, PUT, why="a new mapping for each cell, as cells are shallow copies of one object"),
    Attribute("p", "extra_generation_params", CHANGED, why="our keys go in; the cells of a grid share one dictionary"),
    Attribute("p", COMPARISON_ATTRIBUTE, PUT, why="as the job itself"),
    Attribute("p", "init", CHANGED, why="called once the prompts are final; ours, called, is gone again"),
    Attribute("p", "all_prompts", CHANGED, why="None before the job is set up; Compare repeats it"),
    Attribute("p", "all_negative_prompts", CHANGED, why="for the hint on tags that stand there; likewise"),
    Attribute("p", "all_seeds", CHANGED),
    Attribute("p", "all_subseeds", CHANGED),
    Attribute("p", "all_hr_prompts", CHANGED, "a1111", "None without hires"),
    Attribute("p", "all_hr_negative_prompts", CHANGED, "a1111", "likewise"),
    Attribute("p", "n_iter", CHANGED, why="Compare's; some hosts run one job object again"),
    Attribute("p", "batch_size", READ, why="which image is in which batch"),
    Attribute("p", "do_not_save_grid", CHANGED, why="true, for the host's own grid, while Compare draws one"),
    Attribute("p", "outpath_grids", READ),
    Attribute("p", "script_args", READ, why="the first is the place of the script that the user chose, 0 for none"),
    Attribute("p", "xyz", READ, "sdnext", "true where one of its grids makes the images"),
    Attribute("p", "extra_network_data", READ, "a1111", "other extensions activate the networks of prompts of theirs"),
    Attribute("p", "hr_extra_network_data", READ, "a1111", "of the hires pass"),
    Attribute("p", "is_hr_pass", READ, why="the tags of a hires pass are not what the infotext says"),
    Attribute("p", "iteration", READ, why="which batch is encoded: its prompts may have different tags"),
    Attribute("p", "disable_extra_networks", READ, "a1111", "tags are then left in the prompt and mean nothing"),
    Attribute("p", "cached_params", CHANGED, "a1111", "during an encode: the plan is part of the cache's key"),
    Attribute("p", "clip_skip", CHANGED, "sdnext", "the job's own slider, neutral while our taps are in place"),
    Attribute("p", "prompt_attention", READ, "sdnext", "the job's parser; None is what the options say"),
    Attribute("p", "scripts", READ, "sdnext", "None, or without ours, where no script of ours runs for the job"),
    Attribute("p", "state", READ, "sdnext", "what a reprocess goes on with: the last job, or no encode"),
    Attribute("modules.processing_diffusers", "last_p", READ, "sdnext", "the last job, None before there was one"),
    Attribute("scripts", "alwayson_scripts", READ, "sdnext"),
    Attribute("StableDiffusionProcessing", "get_conds_with_caching", CHANGED, "a1111", "wrapped, as the class has it"),
    Attribute("get_conds_with_caching", ORIGINAL_ATTRIBUTE, PUT, "a1111", "so that Reload UI wraps it anew"),
    Attribute("get_conds_with_caching", WRAPPER_ATTRIBUTE, PUT, "a1111", "tells it from another extension's wrapper"),
    Attribute("StableDiffusionProcessing", AROUND_ATTRIBUTE, PUT, "a1111", "for wrappers that others put back"),
    # The job's result.
    Attribute("processed", "images", CHANGED, why="Compare's sheet comes first, as a grid of the host's would"),
    Attribute("processed", "infotexts", CHANGED, why="likewise"),
    Attribute("processed", "index_of_first_image", CHANGED, why="likewise"),
    Attribute("processed", "all_prompts", READ),
    Attribute("processed", "all_seeds", READ),
    Attribute("processed", "comments", CHANGED, why="text in all, although A1111's job holds a dictionary"),
    Attribute("processed", "extra_generation_params", CHANGED, why="a new dictionary: the job's own is in use"),
    # `modules.shared`.
    Attribute("shared", "opts", READ),
    Attribute("shared", "cmd_opts", READ, why="our flags, `clip_skip_*`, are in it; see preload.py"),
    Attribute("shared", "state", READ),
    Attribute("shared", "config_filename", READ, "a1111", "the argument of `opts.save`"),
    Attribute("state", "job", READ),
    Attribute("state", "job_count", READ, why="-1 while an API job is set up, when `job` has no name yet"),
    Attribute("state", "interrupted", READ, "sdnext", "what was interrupted may never have come to its encode"),
    # The options. Ours, `clip_skip_ext_*`, are read as attributes too: their table is `interfaces.settings`.
    Attribute("opts", "set", CALLED, "a1111"),
    Attribute("opts", "save", CALLED, "a1111"),
    Attribute("opts", "add_option", CALLED, why="SD.Next and Forge leave `data` empty until the option is saved"),
    Attribute("opts", "sd_model_checkpoint", READ, why="a title, a name, a hash, or None on a fresh install"),
    Attribute("opts", "CLIP_stop_at_last_layers", READ, "a1111", "the slider; SD.Next has the option, unread"),
    Attribute("type(opts)", "CLIP_stop_at_last_layers", PUT, "a1111", "neutral for the thread that encodes"),
    Attribute("opts", "grid_save", READ),
    Attribute("opts", "grid_format", READ),
    Attribute("opts", "grid_extended_filename", READ, "a1111"),
    Attribute("modules.images", "get_font", CALLED, why="of its grids"),
    Attribute("modules.images", "save_image", CALLED),
    Attribute("type(opts)", "__setattr__", CHANGED, "a1111", "wrapped: for the thread that encodes"),
    Attribute("opts", "sdxl_clip_l_skip", READ, "a1111", "A1111's since 1.10; Classic and Neo have no such option"),
    Attribute("opts", "prompt_attention", READ, "sdnext"),
    # Where the host keeps what it has loaded.
    Attribute("modules.paths", "data_path", READ),
    Attribute("installer", "control_extensions", CHANGED, "sdnext", "titles that Control loads; one shared list"),
    Attribute("modules.call_queue", "queue_lock", CALLED, why="taken without waiting, so that no job begins meanwhile"),
    Attribute("queue_lock", "acquire", CALLED),
    Attribute("queue_lock", "release", CALLED),
    Attribute("modules_forge.main_thread", "run_and_wait_result", CALLED, "forge", "it prints what is raised in it"),
    Attribute("modules.scripts", "scripts_data", READ),
    Attribute("scripts_data", "script_class", READ, why="`__module__` of it is the file's name, which tells the grids"),
    Attribute("scripts_data", "module", READ, why="in which the grids keep their axes"),
    Attribute("script_class", "__module__", READ),
    Attribute("xyz_grid.py", "axis_options", CHANGED, why="SD.Next keeps the list over Reload UI"),
    Attribute("xyz_grid.py", "AxisOption", CALLED),
    Attribute("AxisOption", "label", READ),
    # `modules.extra_networks`.
    Attribute("extra_networks", "ExtraNetwork", READ, why="the base class of the prompt tag"),
    Attribute("extra_networks", "register_extra_network", CALLED),
    Attribute("extra_networks", "extra_network_registry", CHANGED, why="our name is taken out again"),
    Attribute("extra_networks", "parse_prompt", CALLED),
    Attribute("ExtraNetwork", "activate", PUT, why="called before prompts are encoded, in SD.Next with a step too"),
    Attribute("ExtraNetwork", "deactivate", PUT),
    Attribute("ExtraNetworkParams", "items", READ, why="`named` loses what has two equals signs"),
    # Checkpoints: `modules.sd_models` of the line, `modules.sd_checkpoint` of SD.Next.
    Attribute("sd_models", "checkpoints_list", READ),
    Attribute("sd_models", "checkpoint_aliases", READ),
    Attribute("sd_models", "get_closet_checkpoint_match", CALLED, "a1111", "spelled so; takes parts of names"),
    Attribute("sd_models", "get_closest_checkpoint_match", CALLED, "sdnext", "takes paths and addresses too"),
    Attribute("sd_models", "model_data", READ, why="`shared.sd_model` loads a model where none is"),
    Attribute("model_data", "sd_model", READ, why="None until a model is loaded; Forge has a stand-in there"),
    Attribute("model_data", "sd_refiner", READ, "sdnext"),
    Attribute("CheckpointInfo", "filename", READ, "a1111"),
    Attribute("CheckpointInfo", "name_for_extra", READ, "a1111"),
    Attribute("CheckpointInfo", "path", READ, "sdnext", "of a diffusers model its folder"),
    Attribute("CheckpointInfo", "type", READ, "sdnext"),
    Attribute("CheckpointInfo", "name", READ, why="below its folder among the models"),
    Attribute("CheckpointInfo", "model_name", READ),
    Attribute("CheckpointInfo", "sha256", READ, why="None until the host has hashed the file"),
    # Its hashes, `modules.hashes`.
    Attribute("hashes", "sha256_from_cache", CALLED, why="CheckpointInfo has what was there when it was listed"),
    Attribute("hashes", "cache", CHANGED, why="a SHA-256 that we worked out goes in, with the time of its file"),
    Attribute("hashes", "dump_cache", CALLED, "a1111", "does nothing since diskcache"),
    Attribute("hashes", "save_cache", CALLED, "sdnext"),
    Attribute("cmd_opts", "no_hashing", READ, why="the user has switched hashing off"),
    # The Lora extensions.
    Attribute("networks", "available_networks", READ),
    Attribute("networks", "available_network_aliases", READ),
    Attribute("networks", "forbidden_network_aliases", READ, "a1111", "in lower case, unlike the aliases"),
    Attribute("NetworkOnDisk", "filename", READ),
    # The loaded model of the line.
    Attribute("sd_model", "sd_checkpoint_info", READ, why="Forge's stand-in before the first job has none"),
    Attribute("sd_model", "get_learned_conditioning", CHANGED, "a1111", "wrapped, as its class has it; and called"),
    Attribute("embedder", "encode_with_transformers", CHANGED, "a1111", "wrapped, as its class has it"),
    Attribute("sd_model", "set_clip_skip", CALLED, "forge", "its stage tells the model the option's number"),
    Attribute("sd_model", "text_processing_engine", READ, "forge"),
    Attribute("sd_model", "text_processing_engine_l", READ, "forge"),
    Attribute("sd_model", "text_processing_engine_g", READ, "forge"),
    Attribute("sd_model", "text_processing_engine_t5", READ, "forge"),
    Attribute("text_processing_engine", "text_encoder", READ, "forge"),
    Attribute("text_processing_engine", "tokenizer", READ, "forge"),
    Attribute("sd_model", "text_encoders", READ, "a1111", "SD3's"),
    Attribute("text_encoders", "clip_l", READ, "a1111"),
    Attribute("text_encoders", "clip_g", READ, "a1111"),
    Attribute("text_encoders", "model_lg", READ, "a1111", "the tokenizer's place"),
    Attribute("sd_model", "conditioner", READ, "a1111", "SDXL's"),
    Attribute("conditioner", "embedders", READ, "a1111"),
    Attribute("sd_model", "cond_stage_model", READ, "a1111", "None in Forge"),
    Attribute("embedder", "wrapped", READ, "a1111", "the encoder below the host's own wrapper"),
    Attribute("modules.sd_hijack_open_clip", "tokenizer", READ, "a1111"),
    # The loaded pipelines of SD.Next.
    Attribute("pipeline", "prior_pipe", READ, "sdnext", "Stable Cascade conditions in its prior"),
    Attribute("pipeline", "text_encoder", READ, "sdnext"),
    Attribute("pipeline", "text_encoder_2", READ, "sdnext"),
    Attribute("pipeline", "unet", READ, "sdnext", "tells what a pipeline of another class conditions on"),
    Attribute("unet", "config", READ, "sdnext"),
    Attribute("config", "cross_attention_dim", READ, "sdnext", "a number; of some models a list"),
    Attribute("pipeline", "tokenizer", READ, "sdnext"),
    Attribute("pipeline", "tokenizer_2", READ, "sdnext"),
    Attribute("pipeline", "embedding_db", READ, "sdnext"),
    Attribute("tokenizer", "decode", CALLED, why="what has none is no tokenizer: Forge keeps a dictionary there"),
    # What an encode of ours between two jobs must not leave behind; taken as it is, and put back.
    Attribute("modules.sd_hijack.model_hijack", "comments", CHANGED, "a1111", "told below the next job's image"),
    Attribute("modules.sd_hijack.model_hijack", "extra_generation_params", CHANGED, "a1111", "in its infotext"),
    Attribute("modules.sd_hijack", "model_hijack", READ, "a1111"),
    Attribute("backend.text_processing.classic_engine", "last_extra_generation_params", CHANGED, "forge", "likewise"),
    Attribute("backend.args", "dynamic_args", READ, "forge", "Forge's is a dictionary, and has it not"),
    Attribute("backend.args.dynamic_args", "last_extra_generation_params", CHANGED, "forge", "Neo's, likewise"),
    Attribute("embedding_db", "embeddings_used", CHANGED, "sdnext", "likewise"),
    # The line's prompt parser.
    Attribute("modules.prompt_parser", "get_multicond_prompt_list", CALLED, "a1111"),
    Attribute("modules.prompt_parser", "get_learned_conditioning_prompt_schedules", CALLED, "a1111"),
    Attribute("modules.prompt_parser", "SdConditioning", CALLED, "a1111", "SDXL reads the size from it"),
    Attribute("modules.devices", "autocast", CALLED, "a1111"),
    Attribute("modules.processing", "StableDiffusionProcessing", READ, "a1111"),
    # SD.Next's, `modules.prompt_parser_diffusers`, and its callbacks.
    Attribute("prompt_parser_diffusers", "PromptEmbedder", READ, "sdnext", "its presence tells the host"),
    Attribute("prompt_parser_diffusers", "cache", CHANGED, "sdnext", "emptied: its keys know nothing of a plan"),
    Attribute("prompt_parser_diffusers.cache", "clear", CALLED, "sdnext"),
    Attribute("modules.sd_hijack_te", "prompt_cache", READ, "sdnext"),
    Attribute("prompt_cache", "cache", CHANGED, "sdnext", "likewise, for the models whose own encoder is in use"),
    Attribute("prompt_parser_diffusers", "prepare_model", CALLED, "sdnext"),
    Attribute("prompt_parser_diffusers", "get_prompt_schedule", CALLED, "sdnext"),
    Attribute("prompt_parser_diffusers", "prepare_embedding_providers", CALLED, "sdnext"),
    Attribute("prompt_parser_diffusers", "split_prompts", CALLED, "sdnext"),
    Attribute("prompt_parser_diffusers", "get_prompts_with_weights", CALLED, "sdnext"),
    Attribute("embedding provider", "device", READ, "sdnext"),
    Attribute("embedding provider", "get_embeddings_for_weighted_prompt_fragments", CALLED, "sdnext"),
    Attribute("script_callbacks", "on_before_process", CALLED, "sdnext", "a job without a script of ours begins there"),
    Attribute("opts", "clip_skip_enabled", READ, "sdnext", "whether its slider can be moved"),
    Attribute("script_callbacks", "on_after_process", CALLED, "sdnext", "called however a job ends"),
    Attribute("script_callbacks", "on_model_loaded", CALLED, "sdnext"),
    # Which of the hosts of the line this is; see `WebUI._line`.
    Attribute("modules_forge.forge_clip", "CLIP_SD_XL_G", READ, "a1111", "reForge's and Classic's, of one name"),
    Attribute("CLIP_SD_XL_G", "encode_with_transformers", READ, "a1111"),
    Attribute("encode_with_transformers", "__code__", READ, "a1111"),
    Attribute("encode_with_transformers.__code__", "co_names", READ, "a1111", "reForge's alone reads the option"),
    Attribute("modules_forge.forge_version", "version", READ, "forge", "tells Neo from Forge"),
    # The components of the host's page.
    Attribute("component", "label", READ, "forge", "Forge's slider has no id"),
    Attribute("component", "get_block_name", CALLED, "a1111"),
    Attribute("component", "elem_classes", READ, why="the prompt's box is told by its id, the result's by its class"),
    Attribute("InputAccordion", "accordion", READ, "a1111", "absent in SD.Next, where it is a checkbox"),
)
