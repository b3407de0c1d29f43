"""What the extension shows on the WebUI's page. The only place, beside the entry script, that knows Gradio."""
