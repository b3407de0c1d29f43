"""Command line flags of CLIP Skip; read by the WebUI before anything else."""


def preload(parser):
    parser.add_argument(
        "--clip-skip-data-dir",
        type=str,
        default=None,
        help="folder for what CLIP Skip keeps, instead of the WebUI's data folder",
    )
    parser.add_argument("--clip-skip-disable", action="store_true", help="do nothing at all, whatever the settings say")
    parser.add_argument(
        "--clip-skip-loglevel", type=str, default=None, help="log level of CLIP Skip: DEBUG, INFO, WARNING, ERROR"
    )
