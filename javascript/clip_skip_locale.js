// Our words in the page's language, where the host does not translate extensions: SD.Next does not, and the A1111 line
// does only where the chosen localization goes by the name of our file.
(function() {
    /** @type {[RegExp, string][]} */
    const FILES = [
        [/^zh(?![a-z]|.*(tw|hk|hant))/i, "zh_CN"],
        [/^ja(?![a-z])/i, "ja_JP"],
        [/^id(?![a-z])/i, "id_ID"],
    ];
    const {src} = /** @type {HTMLScriptElement} */ (document.currentScript);
    const FOLDER = new URL("../localizations/", src);
    const OURS = "[id^=clip_skip_], [id^=setting_clip_skip_ext_], [id^=tab_clip_skip], [class*=clip-skip-]:not(.clip-skip-slider)";
    // In the result's text only what is ours to the letter is found.
    const ROOTS = `${OURS}, [id^=html_log_]`;
    const NO_WORDS = "[translate=no], [data-testid=dropdown-option], textarea, script, style";

    let name = "";
    /** @type {Record<string, string>} */
    let words = {};
    // What was there before a translation, by text node and by element with a placeholder or a title.
    /** @type {WeakMap<Node, Record<string, {original: string, shown: string}>>} */
    const originals = new WeakMap();

    function chosen() {
        // Its name alone, not of `window`: Forge Neo declares it with `let`.
        const options = typeof opts === "undefined" ? undefined : opts;
        let language = options?.ui_locale ?? options?.localization ?? "";
        if (language === "Auto") language = navigator.languages?.[0] ?? navigator.language;
        return FILES.find(([code]) => code.test(language))?.[1] ?? "";
    }

    /** @returns {Promise<Record<string, string>>} */
    async function load() {
        name = chosen();
        if (!name) return {};
        const answer = await fetch(new URL(`${name}.json`, FOLDER), {cache: "no-cache"});
        const loaded = answer.ok ? await answer.json() : {};
        return Object.keys(loaded).every((text) => text in (window.localization ?? {})) ? {} : loaded;
    }

    // `said` is what `owner` shows now; what it shows from now on.
    /** @param {Node} owner @param {"text" | "placeholder" | "title"} part @param {string} said */
    function translated(owner, part, said) {
        const known = originals.get(owner)?.[part];
        const original = known && said === known.shown ? known.original : said;
        const text = original.trim();
        const shown = Object.hasOwn(words, text) ? original.replace(text, () => words[text]) : original;
        if (shown !== original || known) originals.set(owner, {...originals.get(owner), [part]: {original, shown}});
        return shown;
    }

    /** @param {Element} root */
    function translate(root) {
        const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        for (let node = /** @type {Text | null} */ (texts.nextNode()); node; node = /** @type {Text | null} */ (texts.nextNode())) {
            if (!node.data.trim() || node.parentElement?.closest(NO_WORDS)) continue;
            const shown = translated(node, "text", node.data);
            if (shown !== node.data) node.data = shown;
        }
        for (const part of /** @type {const} */ (["placeholder", "title"])) {
            for (const element of [root, ...root.querySelectorAll(`[${part}]`)]) {
                const owner = /** @type {HTMLInputElement} */ (element);
                if (!owner[part]) continue;
                const shown = translated(owner, part, owner[part]);
                if (shown !== owner[part]) owner[part] = shown;
            }
        }
    }

    // The outermost part of ours around this element, itself included.
    /** @param {Element} element */
    function rootOf(element) {
        let root;
        for (let at = element.closest(ROOTS); at; at = at.parentElement?.closest(ROOTS) ?? null) root = at;
        return root;
    }

    // Where to look after these changes: whatever else the host does with its page, as it shows a job's progress, costs
    // a look at what it brought and no more.
    /** @param {MutationRecord[]} changes */
    function rootsOf(changes) {
        /** @type {Set<Element | undefined>} */
        const roots = new Set();
        for (const {target, addedNodes} of changes) {
            const place = target instanceof Element ? target : target.parentElement;
            const around = place && rootOf(place);
            if (around) roots.add(around);
            else for (const node of addedNodes) if (node instanceof Element) rootsIn(node).forEach((root) => roots.add(root));
        }
        return roots;
    }

    /** @param {Element} place */
    function rootsIn(place) {
        return [place, ...place.querySelectorAll(ROOTS)].map(rootOf);
    }

    /** @param {MutationRecord[]} changes */
    async function update(changes) {
        const before = name;
        const isNew = chosen() !== before;
        if (isNew) words = await load();
        if (!before && !name) return;
        const roots = isNew ? new Set(rootsIn(document.body)) : rootsOf(changes);
        for (const root of roots) if (root) translate(root);
    }

    onUiLoaded(() => {
        update([]);
        // Not the host's own callbacks: they come late, and not at all for what is outside of Gradio.
        new MutationObserver(update).observe(document.body, {childList: true, subtree: true, characterData: true});
    });
})();
