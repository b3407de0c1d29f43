import js from "@eslint/js";

// What a browser and the host give to a script of an extension; tsc knows them better.
const GLOBALS = [
    ...["document", "window", "navigator", "fetch", "URL", "setTimeout", "clearTimeout", "setInterval", "clearInterval"],
    ...["requestAnimationFrame", "MutationObserver", "ResizeObserver", "NodeFilter", "FocusEvent", "Element"],
    ...["gradioApp", "updateInput", "onUiLoaded", "onUiTabChange", "onOptionsChanged", "opts"],
];

export default [
    js.configs.recommended,
    {
        languageOptions: {
            ecmaVersion: 2023,
            sourceType: "script",
            globals: Object.fromEntries(GLOBALS.map((name) => [name, "readonly"])),
        },
        linterOptions: {reportUnusedDisableDirectives: "error"},
        rules: {
            curly: ["error", "multi-line"],
            eqeqeq: "error",
            "no-implicit-globals": "error",
            "no-shadow": "error",
            "no-var": "error",
            "prefer-const": "error",
            strict: "off",
        },
    },
];
