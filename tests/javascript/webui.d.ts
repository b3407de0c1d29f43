// What every WebUI gives to the scripts of its extensions, and what ours gives to Gradio.

declare function gradioApp(): ParentNode;
declare function updateInput(box: HTMLElement): void;
declare function onUiLoaded(callback: () => void): void;
declare function onUiTabChange(callback: () => void): void;
declare function onOptionsChanged(callback: () => void): void;

declare var opts: {ui_locale?: string; localization?: string} | undefined;

interface Window {
    localization?: Record<string, string>;
    // Gradio takes a list, of outputs that there are none of.
    clipSkip: {
        ask(tab: string, name: string): [];
        chosen(tab: string, control: string, own: string): [];
        heard(tab: string): [];
        answered(tab: string, name: string): [];
        moved(tab: string, name: string, moves: string, ...now: unknown[]): object[];
        watch(): [];
        turned(): [];
        holds(id: string | null, value: string | number): [];
        generate(tab: string, options: string): Promise<string>;
    };
}
