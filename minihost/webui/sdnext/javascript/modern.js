// SD.Next's Modern UI, as far as extensions meet it, on a page opened with ?theme_type=Modern: a rail of buttons in place of the tabs,
// whose content is moved into items of its own that fade in and out; onUiTabChange is never called. It has none of Gradio's colours,
// high buttons and heads, room below each row, and a grid for a slider's label and number.
"use strict";

function startModernUi() {
  uiCallbacks.tab.length = 0;
  const style = document.createElement("style");
  style.textContent = `
    @keyframes fade-in { from { opacity: 0 } }
    @keyframes fade-out { to { opacity: 0 } }
    .fade-in { animation: fade-in 0.01s; }
    .fade-out { animation: fade-out 0.01s; }
    .xtabs-item.hidden:not(.fade-in) { display: none; }
    .mask-icon { background: currentColor; }
    body {
      --background-fill-primary: initial; --background-fill-secondary: initial; --border-color-primary: initial;
      --body-text-color: initial; --body-text-color-subdued: initial; --link-text-color: initial;
      --button-secondary-background-fill: initial; --button-secondary-text-color: initial;
      --sd-main-background-color: rgb(23 23 23); --sd-label-color: rgb(210 208 198);
      background: var(--sd-main-background-color); color: var(--sd-label-color);
    }
    * button, .label-wrap { min-height: 36px; min-width: 36px; }
    .block { flex-direction: column; }
    .stretch { padding-bottom: 1em !important; }
    .form { display: grid; justify-content: flex-end; }
    .block.gradio-slider .head, .block:has(> .wrap > .head) .head { display: grid; grid-template-columns: auto 70px; }
    #tabs > * { display: none !important; }`;
  const rail = document.createElement("div");
  rail.id = "main_nav_content";
  const items = document.createElement("div");
  items.id = "split-app";
  document.addEventListener("animationstart", (e) => e.animationName === "fade-in" && e.target.classList.remove("hidden"));
  document.addEventListener("animationend", (e) => e.animationName === "fade-out" && e.target.classList.add("hidden"));
  const own = ["txt2img", "img2img", "control"];
  const show = (button) => {
    for (const other of rail.children) {
      const item = document.getElementById(other.getAttribute("tabItemId").split("#").pop());
      item.classList.toggle("fade-in", other === button);
      item.classList.toggle("fade-out", other !== button);
    }
  };
  for (const tab of gradioApp().querySelectorAll("#tabs > .tabitem")) {
    const name = tab.id.replace("tab_", "");
    const item = document.createElement("div");
    item.id = own.includes(name) ? `${name}_tabitem` : `${tab.id}_tabitem`;
    item.className = "xtabs-item";
    item.append(...tab.children);
    items.append(item);
    const button = document.createElement("button");
    button.setAttribute("tabItemId", `#split-app, #${item.id}`);
    const title = name.replace(/_\w/g, (match) => match[1].toUpperCase());
    if (own.includes(name)) button.textContent = name;
    else button.innerHTML = `<div class="icon-letters">${name.slice(0, 2)}</div><span>${title}</span>`;
    button.addEventListener("click", () => show(button));
    rail.append(button);
  }
  document.getElementById("tabs").before(style, rail, items);
  show([...rail.children].find((button) => button.textContent === "control"));
}

onUiLoaded(() => { if (location.search.includes("theme_type=Modern")) startModernUi(); });
