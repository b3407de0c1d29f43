// The panels are drawn when the server starts; the selected model may have changed since, here or in Settings.
(function() {
    function refresh() {
        for (const tab of ["txt2img", "img2img"]) {
            gradioApp().querySelector(`#clip_skip_${tab}_refresh`)?.click();
        }
    }

    // Not at once: Gradio has not yet attached the button's listener.
    onUiLoaded(() => setTimeout(refresh));
    onOptionsChanged(refresh);
})();
