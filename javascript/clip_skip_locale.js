// Our words in the page's language, where the host does not translate extensions: SD.Next does not, and the A1111 line
// does only where the chosen localization goes by the name of our file.
(function() {
    const FILES = [
        [/^zh(?![a-z]|.*(tw|hk|hant))/i, "zh_CN"],
        [/^ja(?![a-z])/i, "ja_JP"],
        [/^id(?![a-z])/i, "id_ID"],
    ];
    const FOLDER = new URL("../localizations/", document.currentScript.src);
    const OURS = "[id^=clip_skip_], [id^=setting_clip_skip_ext_], [id^=tab_clip_skip], [class*=clip-skip-]:not(.clip-skip-slider)";
    // In the result's text only what is ours to the letter is found.
    const RESULTS = "[id^=html_log_]";
    const NO_WORDS = "[translate=no], [data-testid=dropdown-option], textarea, script, style";

    let name = "";
    let words = {};
    // What was there before a translation, by text node and by element with a placeholder or a title.
    const originals = new WeakMap();

    function chosen() {
        let language = window.opts?.ui_locale ?? window.opts?.localization ?? "";
        if (language === "Auto") language = navigator.languages?.[0] ?? navigator.language;
        return FILES.find(([code]) => code.test(language))?.[1] ?? "";
    }

    async function load() {
        name = chosen();
        if (!name) return {};
        const answer = await fetch(new URL(`${name}.json`, FOLDER), {cache: "no-cache"});
        const loaded = answer.ok ? await answer.json() : {};
        return Object.keys(loaded).every((text) => text in (window.localization ?? {})) ? {} : loaded;
    }

    // `said` is what `owner` shows now; what it shows from now on.
    function translated(owner, part, said) {
        const known = originals.get(owner)?.[part];
        const original = known && said === known.shown ? known.original : said;
        const text = original.trim();
        const shown = Object.hasOwn(words, text) ? original.replace(text, () => words[text]) : original;
        if (shown !== original || known) originals.set(owner, {...originals.get(owner), [part]: {original, shown}});
        return shown;
    }

    function translate(root) {
        const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        for (let node = texts.nextNode(); node; node = texts.nextNode()) {
            if (!node.data.trim() || node.parentElement.closest(NO_WORDS)) continue;
            const shown = translated(node, "text", node.data);
            if (shown !== node.data) node.data = shown;
        }
        for (const part of ["placeholder", "title"]) {
            for (const owner of [root, ...root.querySelectorAll(`[${part}]`)]) {
                if (!owner[part]) continue;
                const shown = translated(owner, part, owner[part]);
                if (shown !== owner[part]) owner[part] = shown;
            }
        }
    }

    function translatePage() {
        const all = [...document.body.querySelectorAll(`${OURS}, ${RESULTS}`)];
        all.filter((root) => !root.parentElement.closest(OURS)).forEach(translate);
    }

    async function update() {
        const before = name;
        if (chosen() !== before) words = await load();
        if (before || name) translatePage();
    }

    onUiLoaded(() => {
        update();
        // Not the host's own callbacks: they come late, and not at all for what is outside of Gradio.
        new MutationObserver(update).observe(document.body, {childList: true, subtree: true, characterData: true});
    });
})();
