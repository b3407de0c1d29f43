// Puts the panels' questions, tells them what only the page knows, and puts a badge beside the host's own slider.
(function() {
    const TABS = ["txt2img", "img2img"];
    const SLIDER = ".clip-skip-slider";
    // The id of a slider that no tab has for itself.
    const SHARED = "shared";

    function part(place, name) {
        return gradioApp().querySelector(`#clip_skip_${place}_${name}`);
    }

    // Whether that changes anything.
    function write(place, name, value) {
        const box = part(place, name)?.querySelector("textarea, input");
        if (!box || box.value === value) return false;
        box.value = value;
        updateInput(box);
        return true;
    }

    function isShown(place) {
        const tab = gradioApp().querySelector(place === "presets" ? "#tab_clip_skip" : `#tab_${place}`);
        return !tab || tab.offsetParent !== null || tab.style.display !== "none";
    }

    function currentTab() {
        return TABS.find(isShown) ?? TABS[0];
    }

    function tabOf(slider) {
        return TABS.find((tab) => slider.id === `${tab}_clip_skip`);
    }

    // --- what the panels can't know by themselves ---

    // What the host's sliders and prompts hold, by their ids, since they changed.
    const held = {};

    function valueOf(id, box) {
        return held[id] ?? gradioApp().querySelector(`#${id} ${box}`)?.value;
    }

    // Whether the panel was told anything new. A shared slider's number is in the host's options until it changes.
    function tell(tab) {
        const own = `${tab}_clip_skip`;
        const number = Number.parseFloat(gradioApp().querySelector(`${SLIDER}#${own}`) ? valueOf(own, "input") : held[SHARED]);
        const tags = (valueOf(`${tab}_prompt`, "textarea") ?? "").match(/<(?:lora|lyco|clipskip):[^<>]*>/gi) ?? [];
        const seen = {tags: tags.join("")};
        if (Number.isFinite(number)) seen.slider = number;
        return write(tab, "seen", JSON.stringify(seen));
    }

    // Gradio calls this for each of them.
    function holds(id, value) {
        held[TABS.some((tab) => id?.startsWith(tab)) ? id : SHARED] = value;
        if (tell(currentTab())) ask(currentTab(), "judge");
        return [];
    }

    // --- questions ---

    // Whose answer judges, too, or says that nothing could be saved.
    const JUDGED = ["judge", "act", "save", "forget"];

    // The questions that are not answered yet, the oldest first, and whether each has to be put again.
    const unanswered = new Map();

    // Those of them whose answer will be older than what is shown by then.
    const overtaken = new Set();

    // Gradio listens to the buttons some time after it has drawn them. Until then all is left to the first "refresh".
    let listening = false;
    let knocking;

    // Presses the button that puts this question. Gradio would drop it while it waits for the answer to one before.
    function ask(tab, name) {
        const button = part(tab, name);
        if (!button || (!listening && name !== "refresh")) return [];
        // A tab that is not shown is judged when it is.
        if (name === "judge" && tab !== currentTab()) return [];
        tell(tab);
        const waits = unanswered.has(button.id);
        if (listening) unanswered.set(button.id, waits);
        if (!waits) button.click();
        return showBusy(tab);
    }

    // A screen reader waits with what is about to change.
    function showBusy(tab) {
        const busy = [...unanswered.keys()].some((id) => id.startsWith(`clip_skip_${tab}_`));
        if (listening) part(tab, "advice").setAttribute("aria-busy", String(busy));
        return [];
    }

    // Gradio calls this for each "refresh" that it hears.
    function heard(tab) {
        if (!listening) unanswered.set(part(tab, "refresh").id, false);
        listening = true;
        clearInterval(knocking);
        return [];
    }

    // Gradio calls this after each answer, also to what was not asked here.
    function answered(tab, name) {
        const id = part(tab, name)?.id;
        for (const older of unanswered.keys()) {
            if (older === id) break;
            overtaken.add(older);
        }
        const again = unanswered.get(id);
        unanswered.delete(id);
        const late = overtaken.delete(id);
        if (again) ask(tab, name);
        else if (late) ask(tab, "refresh");
        else if (!JUDGED.includes(name)) ask(tab, "judge");
        if (name === "act") setTimeout(() => keepFocus(part(tab, "advice")));
        return showBusy(tab);
    }

    function refresh() {
        delete held[SHARED];
        ask(currentTab(), "refresh");
        if (isShown("presets")) part("presets", "refresh")?.click();
    }

    // What was pressed may be gone by now: a keyboard goes on from where it was.
    function keepFocus(place) {
        if (document.activeElement === document.body) place.focus({preventScroll: true});
    }

    // --- buttons in HTML of ours ---

    // A press on a model in the table of presets chooses it, one in the list of the silenced ones has it told again.
    function pick(button) {
        write("presets", "picked", button.dataset.clipSkipPick);
        part("presets", button.dataset.clipSkipPress ?? "pick").click();
        if (button.dataset.clipSkipPress) return;
        // On a narrow page, and beside a long table, the form is out of sight.
        part("presets", "model").scrollIntoView({block: "nearest"});
    }

    // A press on a button beside an advice, in a panel or in the badge's window.
    function act(button) {
        const box = button.closest(".clip-skip-window");
        const tab = box?.dataset.tab ?? TABS.find((name) => part(name, "advice")?.contains(button));
        write(tab, "asked", button.dataset.clipSkipAct);
        ask(tab, "act");
        if (button.dataset.clipSkipSlider !== undefined) moveSliders(tab, button.dataset.clipSkipSlider);
        box?.hidePopover();
    }

    function moveSliders(tab, number) {
        for (const slider of gradioApp().querySelectorAll(SLIDER)) {
            if ((tabOf(slider) ?? tab) !== tab) continue;
            const input = slider.querySelector("input[type=number]");
            input.value = number;
            updateInput(input);
            // Where a host saves it when the box is left.
            input.dispatchEvent(new FocusEvent("blur"));
        }
    }

    // The advice whose "Why?" is open: it stays so when the advice is drawn anew.
    const explained = new Set();

    function explain({parentElement: details}) {
        const {advice} = details.closest(".clip-skip-item").dataset;
        if (details.open) explained.delete(advice);
        else explained.add(advice);
    }

    function pressed({target}) {
        const button = target.closest?.("[data-clip-skip-pick], [data-clip-skip-act], .clip-skip-item summary");
        if (button?.dataset.clipSkipPick !== undefined) pick(button);
        else if (button?.dataset.clipSkipAct !== undefined) act(button);
        else if (button) explain(button);
    }

    // --- the badge beside the host's own slider ---

    function redraw() {
        for (const details of gradioApp().querySelectorAll(".clip-skip-item details")) {
            details.open = explained.has(details.closest(".clip-skip-item").dataset.advice);
        }
        drawBadges();
    }

    function drawBadges() {
        for (const slider of gradioApp().querySelectorAll(SLIDER)) {
            const tab = tabOf(slider) ?? currentTab();
            const items = [...part(tab, "advice")?.querySelectorAll(".clip-skip-item[data-badge]") ?? []];
            const badge = slider.querySelector(".clip-skip-badge") ?? (items.length ? addBadge(slider) : null);
            if (!badge) continue;
            const box = badge.popoverTargetElement;
            box.dataset.tab = tab;
            fill(box, items);
            if (items.length) {
                badge.dataset.severity = items[0].dataset.severity;
                fill(badge, [items[0].querySelector("b")]);
            } else {
                box.hidePopover();
            }
            const focused = document.activeElement === badge;
            badge.hidden = !items.length;
            if (focused && badge.hidden) slider.querySelector("input[type=number]").focus({preventScroll: true});
        }
    }

    // Only where it differs: what is being pressed must stay.
    function fill(place, nodes) {
        const shown = place.childNodes;
        if (shown.length === nodes.length && nodes.every((node, number) => node.isEqualNode(shown[number]))) return;
        place.replaceChildren(...nodes.map((node) => node.cloneNode(true)));
    }

    // The badge opens a window: beside it for the keyboard, above all else for the eye.
    function addBadge(slider) {
        const badge = document.createElement("button");
        badge.type = "button";
        badge.className = "clip-skip-badge";
        badge.setAttribute("aria-expanded", "false");
        const box = document.createElement("div");
        box.className = "clip-skip-window clip-skip-advice";
        box.popover = "auto";
        box.addEventListener("beforetoggle", ({newState}) => {
            const {left, bottom} = badge.getBoundingClientRect();
            box.style.setProperty("--clip-skip-left", `${window.scrollX + left}px`);
            box.style.setProperty("--clip-skip-top", `${window.scrollY + bottom}px`);
            badge.setAttribute("aria-expanded", String(newState === "open"));
        });
        badge.popoverTargetElement = box;
        (slider.querySelector("label") ?? slider.firstElementChild).after(badge, box);
        return badge;
    }

    window.clipSkip = {ask, heard, answered, holds};

    onUiLoaded(() => {
        document.addEventListener("click", pressed);
        const places = TABS.map((tab) => part(tab, "advice")).filter(Boolean);
        if (!places.length) return;
        for (const advice of places) {
            advice.setAttribute("role", "status");
            advice.tabIndex = -1;
            new MutationObserver(redraw).observe(advice, {childList: true, subtree: true, characterData: true});
        }
        knocking = setInterval(refresh, 100);
    });
    // What the page was drawn with may have changed since: in Settings, in another tab or by hand.
    onUiTabChange(() => {
        refresh();
        drawBadges();
    });
    onOptionsChanged(refresh);
})();
