// Keeps the panels up to date, tells them what only the page knows, and puts a badge beside the host's own slider.
(function() {
    const TABS = ["txt2img", "img2img"];
    const SLIDER = ".clip-skip-slider";

    // The number at a slider that the whole page shares, from when the user moves it until it is saved.
    let moving = null;
    let waiting = null;

    function part(place, name) {
        return gradioApp().querySelector(`#clip_skip_${place}_${name}`);
    }

    function write(place, name, value) {
        const box = part(place, name)?.querySelector("textarea, input");
        if (box && box.value !== value) {
            box.value = value;
            updateInput(box);
        }
    }

    function isShown(place) {
        const tab = gradioApp().querySelector(place === "presets" ? "#tab_clip_skip" : `#tab_${place}`);
        return !tab || tab.offsetParent !== null || tab.style.display !== "none";
    }

    function currentTab() {
        return TABS.find((tab) => isShown(tab)) ?? TABS[0];
    }

    // --- what the panels can't know by themselves ---

    function numberAt(slider) {
        const number = Number.parseFloat(slider?.querySelector("input[type=number]")?.value);
        return Number.isFinite(number) ? number : null;
    }

    function tell(tab) {
        const ofTab = gradioApp().querySelector(`${SLIDER}#${tab}_clip_skip`);
        const slider = ofTab ? numberAt(ofTab) : moving;
        const prompt = gradioApp().querySelector(`#${tab}_prompt textarea`)?.value ?? "";
        const loras = (prompt.match(/<(?:lora|lyco):[^<>]*>/gi) ?? []).join("");
        write(tab, "seen", JSON.stringify(slider === null ? {loras} : {slider, loras}));
    }

    function refresh() {
        moving = null;
        TABS.forEach(tell);
        for (const place of [...TABS, "presets"]) {
            if (isShown(place)) part(place, "refresh")?.click();
        }
    }

    // A slider that is dragged changes many times.
    function judgeSoon() {
        clearTimeout(waiting);
        waiting = setTimeout(() => {
            for (const tab of TABS) {
                const before = part(tab, "seen")?.querySelector("textarea, input")?.value;
                tell(tab);
                if (part(tab, "seen")?.querySelector("textarea, input")?.value !== before) part(tab, "judge")?.click();
            }
        }, 50);
    }

    function changed(event) {
        const slider = event.target.closest?.(SLIDER);
        if (slider) {
            if (!TABS.some((tab) => slider.id === `${tab}_clip_skip`)) moving = numberAt(slider);
            judgeSoon();
        } else if (event.target.closest?.(TABS.map((tab) => `#${tab}_prompt`).join())) {
            judgeSoon();
        }
    }

    // --- buttons in HTML of ours ---

    // A press on a model in the table of presets chooses it.
    function pick(button) {
        write("presets", "picked", button.dataset.clipSkipPick);
        part("presets", "pick").click();
        // On a narrow page, and beside a long table, the form is out of sight.
        part("presets", "model").scrollIntoView({block: "nearest"});
    }

    // A press on a button beside an advice, in a panel or in the badge's window.
    function act(button) {
        const tab = button.closest("[data-tab]")?.dataset.tab ?? TABS.find((name) => part(name, "advice")?.contains(button));
        write(tab, "asked", button.dataset.clipSkipAct);
        part(tab, "act").click();
        if (button.dataset.clipSkipSlider !== undefined) moveSliders(tab, button.dataset.clipSkipSlider);
        closeWindow();
    }

    function moveSliders(tab, number) {
        for (const slider of gradioApp().querySelectorAll(SLIDER)) {
            if (TABS.some((other) => other !== tab && slider.id === `${other}_clip_skip`)) continue;
            for (const input of slider.querySelectorAll("input[type=number]")) {
                input.value = number;
                updateInput(input);
                input.dispatchEvent(new Event("change", {bubbles: true}));
                input.dispatchEvent(new FocusEvent("blur"));
            }
        }
    }

    function pressed(event) {
        const button = event.target.closest?.("[data-clip-skip-pick], [data-clip-skip-act], .clip-skip-badge");
        if (button?.dataset.clipSkipPick !== undefined) pick(button);
        else if (button?.dataset.clipSkipAct !== undefined) act(button);
        else if (button) toggleWindow(button);
        else if (!event.target.closest?.(".clip-skip-window")) closeWindow();
    }

    // --- the badge beside the host's own slider ---

    function itemsFor(tab) {
        return [...part(tab, "advice")?.querySelectorAll(".clip-skip-item[data-badge]") ?? []];
    }

    function drawBadges() {
        for (const slider of gradioApp().querySelectorAll(SLIDER)) {
            const tab = TABS.find((name) => slider.id === `${name}_clip_skip`) ?? currentTab();
            const items = itemsFor(tab);
            let badge = slider.querySelector(".clip-skip-badge");
            if (!items.length) {
                badge?.remove();
                continue;
            }
            if (!badge) {
                badge = document.createElement("button");
                badge.type = "button";
                badge.className = "clip-skip-badge";
                badge.setAttribute("aria-expanded", "false");
                const label = slider.querySelector("label") ?? slider.firstElementChild;
                label.after(badge);
            }
            badge.dataset.tab = tab;
            badge.dataset.severity = items[0].dataset.severity;
            badge.replaceChildren(items[0].querySelector("b").cloneNode(true));
        }
        const opened = document.querySelector(".clip-skip-window");
        if (opened) fillWindow(opened);
    }

    function fillWindow(box) {
        const items = itemsFor(box.dataset.tab);
        if (!items.length) return closeWindow();
        box.replaceChildren(...items.map((item) => item.cloneNode(true)));
    }

    function toggleWindow(badge) {
        const wasOpen = badge.getAttribute("aria-expanded") === "true";
        closeWindow();
        if (wasOpen) return;
        const box = document.createElement("div");
        box.className = "clip-skip-window clip-skip-advice";
        box.dataset.tab = badge.dataset.tab;
        box.setAttribute("role", "group");
        // Not inside the host's slider, which cuts off what is larger than itself.
        document.body.append(box);
        fillWindow(box);
        place(box, badge);
        badge.setAttribute("aria-expanded", "true");
        box.querySelector("button, summary")?.focus();
    }

    function place(box, badge) {
        const {left, bottom} = badge.getBoundingClientRect();
        const room = document.documentElement.clientWidth - box.offsetWidth;
        box.style.left = `${window.scrollX + Math.max(0, Math.min(left, room))}px`;
        box.style.top = `${window.scrollY + bottom + 4}px`;
    }

    function closeWindow() {
        document.querySelector(".clip-skip-window")?.remove();
        for (const badge of gradioApp().querySelectorAll(".clip-skip-badge")) badge.setAttribute("aria-expanded", "false");
    }

    onUiLoaded(() => {
        document.addEventListener("click", pressed);
        document.addEventListener("input", changed);
        document.addEventListener("change", changed);
        document.addEventListener("keydown", (event) => event.key === "Escape" && closeWindow());
        for (const tab of TABS) {
            const advice = part(tab, "advice");
            if (!advice) continue;
            advice.setAttribute("role", "status");
            new MutationObserver(drawBadges).observe(advice, {childList: true, subtree: true, characterData: true});
        }
        // Not at once: Gradio has not yet attached the buttons' listeners.
        setTimeout(refresh);
    });
    // What the page was drawn with may have changed since: in Settings, in another tab or by hand.
    onUiTabChange(() => {
        refresh();
        drawBadges();
    });
    onOptionsChanged(refresh);
})();
