// Puts the panels' questions, tells them what only the page knows, and puts a badge beside the host's own slider.
(function() {
    // Where a question stands, what can happen to it there, where it stands then, and what is to do. What is not here
    // changes nothing. A question is put by a press on its button, which Gradio drops while it waits for the answer to one
    // before: such a question is put "again". Answers may come in another order than their questions: one that comes after
    // the answer to a later question is "late", and older than what is shown by then.
    /** @type {Record<State, Partial<Record<Happening, [State, (tab: string, name: string) => void]>>>} */
    const QUESTIONS = {
        unheard: {ask: ["unheard", click], hear: ["asked", rest]},
        free: {ask: ["asked", click], answer: ["free", rest]},
        asked: {ask: ["again", rest], overtake: ["late", rest], answer: ["free", rest]},
        late: {ask: ["again", rest], answer: ["free", lookAnyway]},
        again: {answer: ["free", ask]},
    };

    /** @typedef {"unheard" | "free" | "asked" | "late" | "again"} State */
    /** @typedef {"ask" | "hear" | "overtake" | "answer"} Happening */

    // Those that can have a panel; the last one is SD.Next's.
    const TABS = ["txt2img", "img2img", "control"];
    const SLIDER = ".clip-skip-slider";
    // The advice that the badge shows.
    const BADGED = ".clip-skip-item[data-badge]";
    // The id of a slider that no tab has for itself.
    const SHARED = "shared";
    // The host's options that count, and the one that a slider sets which no tab has for itself.
    const OPTIONS = /clip|prompt_attention/i;
    const NUMBER = "CLIP_stop_at_last_layers";
    // The controls that answers move, in the order in which they come.
    const MOVED = ["mode", "same", "skip", "l", "g", "h", "blend"];

    /** @param {string} place @param {string} name @returns {HTMLElement | null} */
    function part(place, name) {
        return gradioApp().querySelector(`#clip_skip_${place}_${name}`);
    }

    // Whether that changes anything.
    /** @param {string} place @param {string} name @param {string} value */
    function write(place, name, value) {
        /** @type {HTMLInputElement | null | undefined} */
        const box = part(place, name)?.querySelector("textarea, input");
        if (!box || box.value === value) return false;
        box.value = value;
        updateInput(box);
        return true;
    }

    // SD.Next's Modern UI moves what is in a tab into an item of its own, which it fades in and out.
    /** @param {string} place */
    function itemOf(place) {
        return gradioApp().querySelector(place === "presets" ? "#tab_clip_skip_tabitem" : `#${place}_tabitem`);
    }

    /** @param {string} place */
    function isShown(place) {
        const item = itemOf(place);
        if (item) return item.classList.contains("fade-in");
        /** @type {HTMLElement | null} */
        const tab = gradioApp().querySelector(place === "presets" ? "#tab_clip_skip" : `#tab_${place}`);
        // The style first: to know the parent the browser has to lay out the page.
        return !tab || tab.style.display !== "none" || tab.offsetParent !== null;
    }

    // Whether the second view of our tab is what the user sees.
    function showsModels() {
        return isShown("presets") && Boolean(part("models", "table")?.offsetParent);
    }

    /** @param {Element} slider @returns {HTMLInputElement | null} */
    function numberOf(slider) {
        return slider.querySelector("input[type=number]");
    }

    // Where messages are: in the panel, and below it while it is off.
    /** @param {string} tab */
    function messages(tab) {
        return ["advice", "ended", "advice_off", "ended_off"].map((name) => part(tab, name)).filter((each) => each !== null);
    }

    // The room that was once taken for what is said stays: what is below would jump, and on a page that is scrolled to its
    // end the sliders would, too. Until there is another model, or a hand goes back to Auto or folds a "Why?".
    /** @param {HTMLElement | null | undefined} room */
    function leaveRoom(room) {
        room?.style.removeProperty("min-height");
    }

    /** @param {HTMLElement} room */
    function keepRoom(room) {
        let width = 0;
        // What is said may be higher than the room.
        const showCut = () => {
            room.classList.toggle("clip-skip-cut", room.scrollHeight - room.clientHeight - room.scrollTop > 1);
        };
        const fitting = new ResizeObserver(() => {
            if (room.offsetWidth !== width) room.style.minHeight = "";
            width = room.offsetWidth;
            room.style.minHeight = width ? `${Math.floor(room.getBoundingClientRect().height)}px` : "";
            showCut();
        });
        for (const each of [room, ...room.children]) fitting.observe(each);
        room.addEventListener("scroll", showCut);
    }

    function currentTab() {
        return TABS.find((tab) => part(tab, "advice") && isShown(tab)) ?? TABS[0];
    }

    /** @param {Element} slider */
    function tabOf(slider) {
        return TABS.find((tab) => slider.id === `${tab}_clip_skip`);
    }

    // --- what the panels can't know by themselves ---

    // What the host's sliders and prompts hold, by their ids, since they changed.
    /** @type {Record<string, string>} */
    const held = {};

    /** @param {string} id @param {"input" | "textarea"} box */
    function valueOf(id, box) {
        /** @type {HTMLInputElement | null} */
        const field = gradioApp().querySelector(`#${id} ${box}`);
        return held[id] ?? field?.value;
    }

    // What a prompt has of this, one after the other.
    /** @param {string} id @param {RegExp} what */
    function found(id, what) {
        return (valueOf(id, "textarea") ?? "").match(what)?.join("") ?? "";
    }

    // The model that the host's dropdown has had since it changed.
    /** @type {string | undefined} */
    let chosen;

    // Whether the host has it by now.
    let isTaken = true;

    // The model that the last question of a tab was about.
    /** @type {Map<string, string | undefined>} */
    const about = new Map();

    /** @returns {Options} */
    function options() {
        return typeof opts === "undefined" ? {} : opts;
    }

    function title() {
        return chosen ?? options().sd_model_checkpoint;
    }

    // A title may have the beginning of the file's hash at its end, where that is known.
    function model() {
        return title()?.replace(/ \[[0-9a-f]+\]$/, "");
    }

    // What the panel can't know by itself. A shared slider's number is in the host's options until it changes.
    /** @param {string} tab */
    function seen(tab) {
        const own = `${tab}_clip_skip`;
        const isOwn = gradioApp().querySelector(`${SLIDER}#${own}`) !== null;
        const number = Number.parseFloat((isOwn ? valueOf(own, "input") : held[SHARED]) ?? "");
        return {
            tags: found(`${tab}_prompt`, /[<＜](?:(?:lora|lyco):|\s*clip[\s_-]*skip)[^<>＜＞]*[>＞]/gi),
            negative: found(`${tab}_neg_prompt`, /[<＜]\s*clip[\s_-]*skip[^<>＜＞]*[>＞]/gi) || undefined,
            slider: Number.isFinite(number) ? number : undefined,
        };
    }

    // Gradio calls this for each of them.
    /** @param {string | null} id @param {string | number} value */
    function holds(id, value) {
        held[id && TABS.some((tab) => id.startsWith(tab)) ? id : SHARED] = String(value);
        return look(currentTab());
    }

    // Gradio calls this when the host's dropdown has changed. Gradio 4 empties one whose list lacks the title that the file
    // has since it was hashed: what the host's options say holds then.
    /** @param {string | null} name */
    function chose(name) {
        chosen = name || undefined;
        isTaken = !name;
        return look(currentTab());
    }

    // --- questions ---

    // Where those questions stand that are not answered yet, the oldest first.
    /** @type {Map<string, State>} */
    const unanswered = new Map();

    // Gradio listens to the buttons some time after it has drawn them. Until then all is left to the first "refresh".
    let listening = false;

    /** @param {string} tab @param {string} name */
    function question(tab, name) {
        return `${tab}_${name}`;
    }

    // Notes what happens to a question; what is to do now.
    /** @param {string} id @param {Happening} happening */
    function step(id, happening) {
        const state = unanswered.get(id) ?? (listening ? "free" : "unheard");
        const [next, what] = QUESTIONS[state][happening] ?? [state, rest];
        if (next === "free" || next === "unheard") unanswered.delete(id);
        else unanswered.set(id, next);
        return what;
    }

    function rest() {}

    // Gradio draws the whole page anew for each function of ours that ends: one that gives it nothing does not.
    /** @type {Promise<never>} */
    const NOTHING = new Promise(() => {});

    // `controls` is what they held at a press, where that was some time ago.
    /** @param {string} tab @param {string} name @param {unknown[]} [controls] */
    function ask(tab, name, controls) {
        if (!part(tab, name) || (!listening && name !== "refresh")) return;
        const now = position(tab);
        const typed = name !== "act" && around.get(tab) === now.around || undefined;
        // The WebUI may tell the page of its options after the first question, which was about the same model then.
        const before = about.get(tab);
        const another = before !== undefined && before !== model() || undefined;
        if (another) leaveRoom(part(tab, "answer"));
        put.set(tab, now);
        if (name === "act") atPress.set(tab, controls ?? now.controls);
        write(tab, "seen", JSON.stringify({...seen(tab), model: isTaken ? undefined : chosen, another, typed}));
        step(question(tab, name), "ask")(tab, name);
        showBusy(tab);
    }

    /** @param {string} tab @param {string} name */
    function click(tab, name) {
        about.set(tab, model());
        around.set(tab, put.get(tab)?.around ?? "");
        part(tab, name)?.click();
    }

    // All on which an answer depends: what the controls hold, or are about to, what is around them, and the model's title,
    // until an answer knows its hash. `placed` is where answers have put the controls since.
    /** @typedef {{controls: unknown[], around: string, title?: string, hashed: boolean, placed: unknown[]}} Position */
    /** @param {string} tab @returns {Position} */
    function position(tab) {
        const coming = onTheirWay.get(tab) ?? [];
        const controls = MOVED.map((name, number) => coming[number] ?? holdsNow(tab, name));
        const {slider, ...more} = seen(tab);
        const counting = Object.fromEntries(Object.entries(options()).filter(([name]) => OPTIONS.test(name)));
        if (slider !== undefined) counting[NUMBER] = slider;
        const around = JSON.stringify([isOn(tab), model(), more, counting]);
        return {controls, around, title: title(), hashed: true, placed: []};
    }

    /** @param {Position} now @param {Position | undefined} then */
    function isSame(now, then) {
        if (!then || now.around !== then.around || !(then.hashed || now.title === then.title)) return false;
        return JSON.stringify(now.controls) === JSON.stringify(then.controls);
    }

    /** @param {string} tab @param {string} name */
    function holdsNow(tab, name) {
        /** @type {HTMLInputElement | null | undefined} */
        const box = part(tab, name)?.querySelector("input:checked, input[type=checkbox], input[type=number]");
        if (box?.type === "checkbox") return box.checked;
        return box?.type === "number" ? (box.value === "" ? null : Number(box.value)) : box?.value;
    }

    // What the newest question of a tab was put for. Answers that move controls move it.
    /** @type {Map<string, Position>} */
    const put = new Map();

    // What the controls held at a tab's newest press: Gradio reads them some time after that.
    /** @type {Map<string, unknown[]>} */
    const atPress = new Map();

    // What was around the last one that Gradio took: where that is as it was, a hand is typing.
    /** @type {Map<string, string>} */
    const around = new Map();

    // The next question is for everything.
    /** @param {string} tab */
    function leavePut(tab) {
        put.delete(tab);
        around.delete(tab);
    }

    // Those that are about to be looked at.
    /** @type {Set<string>} */
    const looking = new Set();

    // Something may have changed: asks once for all that does so now, and only where an answer would be another. A tab
    // that is not shown is looked at when it is.
    /** @param {string} tab */
    function look(tab) {
        if (listening && !looking.has(tab)) {
            looking.add(tab);
            setTimeout(() => {
                looking.delete(tab);
                if (isShown(tab) && !isSame(position(tab), put.get(tab))) ask(tab, "refresh");
                showBusy(tab);
            });
            showBusy(tab);
        }
        return NOTHING;
    }

    /** @param {string} tab */
    function lookAnyway(tab) {
        leavePut(tab);
        look(tab);
    }

    // What a hand sets is Manual: at once, and without the host. Gradio's own events tell nothing of hands.
    const BY_HAND = MOVED.filter((name) => name !== "mode");

    // The tabs where a hand has changed "Same for all" since Gradio last said so, with what the controls held then.
    /** @type {Map<string, unknown[]>} */
    const joining = new Map();

    /** @param {string} tab @returns {NodeListOf<HTMLInputElement> | undefined} */
    function modes(tab) {
        return part(tab, "mode")?.querySelectorAll("input");
    }

    // The tab of the control that this happens to, and its name.
    /** @param {Event} event @returns {[string, string] | undefined} */
    function byHand({target, isTrusted}) {
        const control = isTrusted && target instanceof Element && target.closest("[id^=clip_skip_]");
        if (!control) return undefined;
        const [tab, name] = control.id.replace("clip_skip_", "").split("_");
        return BY_HAND.includes(name) && control === part(tab, name) ? [tab, name] : undefined;
    }

    // Before Gradio hears of it.
    /** @param {Event} event */
    function noteJoin(event) {
        const [tab, name] = byHand(event) ?? [];
        if (tab && name === "same") joining.set(tab, position(tab).controls);
    }

    // After Gradio has heard of it.
    /** @param {Event} event */
    function touch(event) {
        const [tab] = byHand(event) ?? [];
        if (!tab || (event.type === "click" && !(/** @type {Element} */ (event.target)).closest("button"))) return;
        const then = put.get(tab);
        if (then) put.set(tab, {...then, controls: [], placed: []});
        onTheirWay.delete(tab);
        const manual = modes(tab)?.[1];
        if (!manual?.checked) manual?.click();
        // Where an open panel may be off.
        if (!isOn(tab)) checkbox(tab)?.click();
    }

    /** @param {string} tab @returns {HTMLInputElement | null | undefined} */
    function checkbox(tab) {
        return part(tab, "enabled-checkbox")?.querySelector("input");
    }

    /** @param {string} tab */
    function isOn(tab) {
        return Boolean(checkbox(tab)?.checked);
    }

    // Gradio calls this when the panel was switched. A text that was pasted does that, too, and only then is it said.
    /** @param {string} tab @param {boolean} on */
    function switched(tab, on) {
        setTimeout(() => {
            /** @type {HTMLElement | null | undefined} */
            const pasted = part(tab, "ended_off")?.querySelector(".clip-skip-pasted");
            if (!pasted) return;
            pasted.hidden = on;
            // What is done by hand from now on is no paste.
            pasted.classList.remove("clip-skip-pasted");
        });
        return look(tab);
    }

    // Gradio calls this when "Same for all" has changed.
    /** @param {string} tab */
    function joined(tab) {
        const controls = joining.get(tab);
        if (!controls) return look(tab);
        joining.delete(tab);
        setTimeout(press, 0, tab, "join", controls); // in the mode that a hand makes it
        return NOTHING;
    }

    // Gradio calls this when a button of the panel was pressed.
    /** @param {string} tab @param {string} name @param {unknown[]} [controls] */
    function press(tab, name, controls) {
        write(tab, "asked", JSON.stringify({press: name}));
        ask(tab, "act", controls);
        return NOTHING;
    }

    // Gradio calls this when the button was pressed that goes over to `mode`, and is not there in it: a keyboard goes on
    // at the sliders.
    /** @param {string} tab @param {string} mode */
    function leave(tab, mode) {
        /** @type {NodeListOf<HTMLElement> | undefined} */
        const sliders = part(tab, "sliders")?.querySelectorAll("input[type=range]");
        [...sliders ?? []].find((each) => each.offsetParent !== null)?.focus({preventScroll: true});
        leaveRoom(part(tab, "answer"));
        return mode;
    }

    // Gradio calls this for each "refresh" that it hears.
    /** @param {string} tab */
    function heard(tab) {
        step(question(tab, "refresh"), "hear");
        listening = true;
        return NOTHING;
    }

    /** @param {string} tab @param {string} name */
    function answered(tab, name) {
        const id = question(tab, name);
        for (const older of unanswered.keys()) {
            if (older === id) break;
            step(older, "overtake");
        }
        step(id, "answer")(tab, name);
        if (name === "act") setTimeout(() => keepFocus(messages(tab).find((each) => each.offsetParent !== null)));
        clearTimeout(following);
        following = setTimeout(follow, 2000, tab);
        showBusy(tab);
    }

    // Where answers have the controls of a tab go that are not there yet: Gradio 4 moves them in the next frame.
    /** @type {Map<string, unknown[]>} */
    const onTheirWay = new Map();

    // Gradio calls this after each answer, with what that moves and what the controls hold by now; it gives where they go.
    // What was changed since the question was put stays: a hand's number is newer than the answer. So does all else where
    // the mode that it is for is not the panel's by then.
    /** @param {string} tab @param {string} name @param {string} moves @param {unknown[]} values */
    function moved(tab, name, moves, ...values) {
        /** @type {Moves} */
        const {from, to: only, judged, taken, hashed} = JSON.parse(moves);
        if (taken === chosen) isTaken = true;
        // A mode that it goes over to has its numbers: what it leaves where that was goes back there, where another answer
        // has moved it since.
        const to = only.map((value, number) => value ?? (only[0] === null ? null : from[number]));
        const newest = put.get(tab);
        const coming = onTheirWay.get(tab) ?? [];
        const now = values.map((value, number) => coming[number] ?? value);
        const then = name === "act" && atPress.get(tab) || [];
        const untouched = from.map((value, number) => {
            return [value, newest?.placed[number]].includes(now[number] ?? null) && (then[number] ?? value) === value;
        });
        const mode = untouched.every(Boolean) ? to[0] ?? now[0] : now[0];
        const isForThis = mode === (to[0] ?? from[0]);
        const goes = to.map((value, number) => value !== null && isForThis && untouched[number]);
        const going = to.map((value, number) => goes[number] ? value : coming[number]);
        const end = () => {
            if (onTheirWay.get(tab) === going) onTheirWay.delete(tab);
            answered(tab, name);
            const isOld = name === "judge" && !judged; // another model is selected by now
            if (isOld || only.some((value, number) => value !== null && !goes[number])) leavePut(tab);
            look(tab);
            if (!judged && !isOld && isShown(tab) && !unanswered.has(question(tab, "refresh"))) ask(tab, "judge");
        };
        if (newest) {
            newest.hashed = hashed;
            newest.placed = to.map((value, number) => goes[number] ? value : newest.placed[number]);
            if (JSON.stringify(newest.controls) === JSON.stringify(from)) {
                newest.controls = from.map((value, number) => goes[number] ? to[number] : value);
            }
        }
        if (!goes.some(Boolean)) {
            setTimeout(end);
            return NOTHING;
        }
        onTheirWay.set(tab, going);
        // When they are there, and at once on a hidden page, which has no frames.
        if (document.hidden) setTimeout(end);
        else requestAnimationFrame(() => setTimeout(end));
        return to.map((value, number) => goes[number] ? {__type__: "update", value} : {__type__: "update"});
    }

    /** @typedef {{from: unknown[], to: unknown[], judged: boolean, taken: string | null, hashed: boolean}} Moves */

    // When the panel is asked again for how far it is with the selected model's hash.
    /** @type {number | undefined} */
    let following;

    /** @param {string} tab */
    function follow(tab) {
        if (part(tab, "status")?.querySelector(".clip-skip-hashing")) lookAnyway(tab);
    }

    // A screen reader waits with what is about to change.
    /** @param {string} tab */
    function showBusy(tab) {
        const busy = looking.has(tab) || [...unanswered.keys()].some((id) => id.startsWith(question(tab, "")));
        if (listening) for (const each of messages(tab)) each.setAttribute("aria-busy", String(busy));
    }

    // Gradio calls this with what Generate is to ask for, alone of all its presses; "" for nothing.
    /** @param {string} tab @param {string} asked @returns {Promise<string>} */
    function generate(tab, asked) {
        /** @type {HTMLElement | null} */
        const button = gradioApp().querySelector(`#${tab}_generate`);
        if (asked) button?.click();
        // By then Gradio has read what goes with that press: at once, or in the next frame, or in the one after it where
        // the page has more to draw.
        return new Promise((resolve) => afterFrames(3, () => resolve("")));
    }

    /** @param {number} frames @param {() => void} then */
    function afterFrames(frames, then) {
        requestAnimationFrame(() => frames > 1 ? afterFrames(frames - 1, then) : setTimeout(then));
    }

    // What the page was drawn with may have changed since: in another tab or by hand.
    function refresh() {
        delete held[SHARED];
        if (listening) TABS.forEach(lookAnyway);
        else ask(currentTab(), "refresh");
        if (isShown("presets")) part("presets", "refresh")?.click();
        if (showsModels()) part("models", "refresh")?.click();
    }

    // What the host's options had last, where they have come.
    /** @type {Options} */
    let had = {};

    // They may be from before a hand moved the slider, or the menu: what they say as before says nothing of these.
    function optionsChanged() {
        const has = {...options()};
        if (NUMBER in had && had[NUMBER] !== has[NUMBER]) delete held[SHARED];
        if (had.sd_model_checkpoint !== has.sd_model_checkpoint) {
            chosen = undefined;
            isTaken = true;
        }
        had = has;
        look(currentTab());
    }

    /** @type {number | undefined} */
    let watching;

    // Gradio calls this after each answer that tells how far the models are read: the page looks again until they are.
    function watch() {
        clearTimeout(watching);
        watching = setTimeout(() => {
            if (showsModels() && part("models", "progress")?.querySelector("progress")) part("models", "look")?.click();
        }, 1000);
        return NOTHING;
    }

    // Gradio calls this when a button in the view of models has opened that of presets: a keyboard goes on there.
    function turned() {
        setTimeout(() => {
            /** @type {HTMLElement | null} */
            const selected = gradioApp().querySelector("#clip_skip_views button.selected");
            selected?.focus({preventScroll: true});
            part("presets", "model")?.scrollIntoView({block: "nearest"});
        });
        return NOTHING;
    }

    function changeTab() {
        refresh();
        drawBadges();
    }

    // What was pressed may be gone by now: a keyboard goes on from where it was.
    /** @param {HTMLElement | null | undefined} place */
    function keepFocus(place) {
        if (document.activeElement === document.body) place?.focus({preventScroll: true});
    }

    // --- buttons in HTML of ours ---

    // A press on a model in a table chooses it, one on a head sorts, one in the list of the silenced ones has it told again.
    /** @param {HTMLElement} button */
    function pick(button) {
        const {clipSkipPick: picked = ""} = button.dataset;
        const view = button.closest("[id^=clip_skip_models_]") ? "models" : "presets";
        write(view, "picked", picked);
        if (button.dataset.clipSkipPress) {
            part(view, button.dataset.clipSkipPress)?.click();
            return;
        }
        // The table is drawn anew, with this row marked: a keyboard goes on from there.
        const table = part(view, "table");
        const marking = new MutationObserver((_, observer) => {
            /** @type {HTMLElement | null | undefined} */
            const marked = table?.querySelector("[aria-current] [data-clip-skip-pick]");
            if (marked?.dataset.clipSkipPick !== picked) return;
            observer.disconnect();
            keepFocus(marked);
        });
        if (table) marking.observe(table, {childList: true, subtree: true});
        part(view, "pick")?.click();
        // On a narrow page, and beside a long table, what is told of it is out of sight.
        part(view, view === "models" ? "about" : "model")?.scrollIntoView({block: "nearest"});
    }

    // What a keyboard is at in the table of models, which is drawn anew while they are read.
    /** @type {string | undefined} */
    let heldPick;

    /** @param {Event} event */
    function noteFocus({target}) {
        /** @type {HTMLElement | null} */
        const button = target instanceof Element ? target.closest("#clip_skip_models_table [data-clip-skip-pick]") : null;
        heldPick = button?.dataset.clipSkipPick;
    }

    function refocus() {
        /** @type {NodeListOf<HTMLElement> | undefined} */
        const buttons = part("models", "table")?.querySelectorAll("[data-clip-skip-pick]");
        if (heldPick !== undefined) keepFocus([...buttons ?? []].find((each) => each.dataset.clipSkipPick === heldPick));
    }

    // A press on a button beside an advice, in a panel or in the badge's window.
    /** @param {HTMLElement} button */
    function act(button) {
        /** @type {HTMLElement | null} */
        const box = button.closest(".clip-skip-window");
        const tab = box?.dataset.tab ?? TABS.find((name) => messages(name).some((each) => each.contains(button)));
        if (!tab) return;
        const number = button.dataset.clipSkipSlider;
        if (number !== undefined) holdShared();
        write(tab, "asked", button.dataset.clipSkipAct ?? "");
        ask(tab, "act");
        if (number !== undefined) {
            moveSliders(tab, number);
            const now = position(tab);
            put.set(tab, now); // which the answer is for
            around.set(tab, now.around);
        }
        box?.hidePopover();
    }

    // What a press moves the slider from is told with it: the host's options may say by then where it goes.
    function holdShared() {
        const number = options()[NUMBER];
        const isShared = [...gradioApp().querySelectorAll(SLIDER)].some((slider) => !tabOf(slider));
        if (isShared && number !== undefined) held[SHARED] ??= String(number);
    }

    /** @param {string} tab @param {string} number */
    function moveSliders(tab, number) {
        for (const slider of gradioApp().querySelectorAll(SLIDER)) {
            if ((tabOf(slider) ?? tab) !== tab) continue;
            const input = numberOf(slider);
            if (!input) continue;
            held[tabOf(slider) ? slider.id : SHARED] = number;
            input.value = number;
            updateInput(input);
            // Where a host saves it when the box is left.
            input.dispatchEvent(new FocusEvent("blur"));
        }
    }

    // The advice whose "Why?" is open: it stays so when the advice is drawn anew.
    /** @type {Set<string | undefined>} */
    const explained = new Set();

    /** @param {Element} details */
    function adviceOf(details) {
        return /** @type {HTMLElement} */ (details.closest(".clip-skip-item")).dataset.advice;
    }

    /** @param {HTMLElement} summary */
    function explain(summary) {
        const details = /** @type {HTMLDetailsElement} */ (summary.parentElement);
        const advice = adviceOf(details);
        leaveRoom(/** @type {HTMLElement | null} */ (details.closest("[id$=_answer]")));
        if (details.open) explained.delete(advice);
        else explained.add(advice);
    }

    /** @param {Event} event */
    function pressed({target}) {
        if (!(target instanceof Element)) return;
        /** @type {HTMLElement | null} */
        const button = target.closest("[data-clip-skip-pick], [data-clip-skip-act], .clip-skip-item summary");
        if (button?.dataset.clipSkipPick !== undefined) pick(button);
        else if (button?.dataset.clipSkipAct !== undefined) act(button);
        else if (button) explain(button);
    }

    // Gradio 3 names a slider, and not the box with its number.
    /** @param {HTMLElement | null} slider */
    function nameNumber(slider) {
        const box = slider && numberOf(slider);
        const label = slider?.querySelector("label");
        if (!box || !label || box.ariaLabel) return;
        label.id = `${slider.id}_label`;
        box.setAttribute("aria-labelledby", label.id);
    }

    // --- SD.Next's Modern UI ---

    // It makes the button of an extension's tab out of the tab's id, "CL" and "clipSkip".
    function nameButton() {
        const button = gradioApp().querySelector("button[tabitemid~='#tab_clip_skip_tabitem']");
        const letters = button?.querySelector(".icon-letters");
        const name = button?.querySelector("span");
        if (!button || !letters || !name) return;
        button.setAttribute("title", "CLIP Skip presets");
        letters.className = "mask-icon clip-skip-icon";
        letters.textContent = "";
        name.textContent = "CLIP Skip presets"; // what is named as its slider gets that one's explanation
    }

    // SD.Next translates and explains by its words what is named like something of its own, as our title and *Models* are,
    // and Gradio no longer reaches a title whose text was replaced: by these words it finds nothing.
    function keepWords() {
        const named = ':is([id^="clip_skip_"], #tab_clip_skip) :is(button, label > span, .label-wrap > span)';
        /** @type {NodeListOf<HTMLElement>} */
        const ours = gradioApp().querySelectorAll(`${named}, #tabs > .tab-nav button`);
        for (const each of ours) {
            const words = each.textContent?.trim();
            if (each.matches(named) || words === "CLIP Skip") each.dataset.original ??= `CLIP Skip: ${words}`;
        }
    }

    // The one sign that it gives of a change of tabs, which is no change of Gradio's.
    /** @param {AnimationEvent} event */
    function fadedIn({target, animationName}) {
        if (animationName !== "fade-in") return;
        nameButton();
        if ([...TABS, "presets"].some((place) => itemOf(place) === target)) changeTab();
    }

    // --- the badge beside the host's own slider ---

    function redraw() {
        for (const details of gradioApp().querySelectorAll(".clip-skip-item details")) {
            /** @type {HTMLDetailsElement} */ (details).open = explained.has(adviceOf(details));
        }
        drawBadges();
    }

    function drawBadges() {
        for (const slider of gradioApp().querySelectorAll(SLIDER)) {
            const tab = tabOf(slider) ?? currentTab();
            const items = /** @type {HTMLElement[]} */ (messages(tab).flatMap((each) => [...each.querySelectorAll(BADGED)]));
            /** @type {HTMLButtonElement | null} */
            const badge = slider.querySelector(".clip-skip-badge") ?? addBadge(slider);
            const box = /** @type {HTMLElement} */ (badge.popoverTargetElement);
            box.dataset.tab = tab;
            fill(box, items);
            if (items.length) {
                badge.dataset.severity = items[0].dataset.severity;
                fill(badge, [...items[0].querySelectorAll("b")].slice(0, 1));
            } else {
                box.hidePopover();
            }
            const focused = document.activeElement === badge;
            badge.hidden = !items.length;
            if (focused && badge.hidden) numberOf(slider)?.focus({preventScroll: true});
        }
    }

    // Only where it differs: what is being pressed must stay.
    /** @param {Element} place @param {Element[]} nodes */
    function fill(place, nodes) {
        const shown = place.childNodes;
        if (shown.length === nodes.length && nodes.every((node, number) => node.isEqualNode(shown[number]))) return;
        place.replaceChildren(...nodes.map((node) => node.cloneNode(true)));
    }

    // The badge opens a window: beside it for the keyboard, above all else for the eye.
    /** @param {Element} slider */
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
        (slider.querySelector("label") ?? slider.firstElementChild)?.after(badge, box);
        return badge;
    }

    window.clipSkip = {look, switched, joined, press, leave, heard, moved, holds, chose, generate, watch, turned};

    onUiLoaded(() => {
        keepWords();
        document.addEventListener("click", pressed);
        document.addEventListener("input", noteJoin, {capture: true});
        for (const event of ["input", "click"]) document.addEventListener(event, touch);
        document.addEventListener("animationstart", fadedIn);
        for (const event of ["focusin", "pointerdown"]) document.addEventListener(event, noteFocus);
        const table = part("models", "table");
        if (table) new MutationObserver(refocus).observe(table, {childList: true, subtree: true});
        part("models", "said")?.setAttribute("role", "status");
        const places = TABS.flatMap(messages);
        if (!places.length) return;
        for (const tab of TABS) for (const name of MOVED) nameNumber(part(tab, name));
        for (const place of places) {
            place.setAttribute("role", "status");
            place.setAttribute("aria-label", "CLIP Skip");
            place.tabIndex = -1;
            new MutationObserver(redraw).observe(place, {childList: true, subtree: true, characterData: true});
        }
        for (const tab of TABS) {
            const room = part(tab, "answer");
            if (room) keepRoom(room);
        }
        const knocking = setInterval(() => listening ? clearInterval(knocking) : refresh(), 100);
    });
    onUiTabChange(changeTab);
    onOptionsChanged(optionsChanged);
})();
