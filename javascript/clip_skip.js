// The panels are drawn when the server starts; the selected model and the presets may have changed since, in Settings,
// in another tab or by hand.
(function() {
    function part(name) {
        return gradioApp().querySelector(`#clip_skip_${name}`);
    }

    function refresh() {
        for (const place of ["txt2img", "img2img", "presets"]) {
            part(`${place}_refresh`)?.click();
        }
    }

    // A press on a model in the table of presets chooses it.
    function pick(event) {
        const pressed = event.target.closest?.("[data-clip-skip-pick]");
        const picked = part("presets_picked")?.querySelector("textarea, input");
        if (pressed && picked) {
            picked.value = pressed.dataset.clipSkipPick;
            updateInput(picked);
            part("presets_pick").click();
            // On a narrow page, and beside a long table, the form is out of sight.
            part("presets_model").scrollIntoView({block: "nearest"});
        }
    }

    // Not at once: Gradio has not yet attached the button's listener.
    onUiLoaded(() => {
        setTimeout(refresh);
        gradioApp().addEventListener("click", pick);
    });
    onUiTabChange(refresh);
    onOptionsChanged(refresh);
})();
