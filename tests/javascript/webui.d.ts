// What every WebUI gives to the scripts of its extensions, and what ours gives to Gradio.

declare function gradioApp(): ParentNode;
declare function updateInput(box: HTMLElement): void;
declare function onUiLoaded(callback: () => void): void;
declare function onUiTabChange(callback: () => void): void;
declare function onOptionsChanged(callback: () => void): void;

type Options = {ui_locale?: string; localization?: string; sd_model_checkpoint?: string; [name: string]: unknown};
declare var opts: Options | undefined;

interface Window {
    localization?: Record<string, string>;
    clipSkip: {
        look(tab: string): Promise<never>;
        switched(tab: string, on: boolean): Promise<never>;
        joined(tab: string): Promise<never>;
        press(tab: string, name: string): Promise<never>;
        leave(tab: string, mode: string): string;
        heard(tab: string): Promise<never>;
        moved(tab: string, name: string, moves: string, ...now: unknown[]): object[] | Promise<never>;
        watch(): Promise<never>;
        turned(): Promise<never>;
        chose(name: string): Promise<never>;
        holds(id: string | null, value: string | number): Promise<never>;
        generate(tab: string, options: string): Promise<string>;
    };
}
