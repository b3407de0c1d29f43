// The functions that extensions' scripts find in the page of every WebUI.
"use strict";

const uiCallbacks = { loaded: [], update: [], afterUpdate: [], tab: [], options: [] };
let uiIsLoaded = false, uiTab = null, afterUpdateTimer = null;

function gradioApp() {
  const app = document.querySelector("gradio-app");
  return (app && app.shadowRoot) || document;
}

function onUiLoaded(callback) { uiIsLoaded ? callback() : uiCallbacks.loaded.push(callback); }
function onUiUpdate(callback) { uiCallbacks.update.push(callback); }
function onAfterUiUpdate(callback) { uiCallbacks.afterUpdate.push(callback); }
function onUiTabChange(callback) { uiCallbacks.tab.push(callback); }
function onOptionsChanged(callback) { uiCallbacks.options.push(callback); }

function runCallbacks(callbacks, argument) {
  for (const callback of callbacks) {
    try { callback(argument); } catch (error) { console.error(error); }
  }
}

function updateInput(target) {
  const event = new Event("input", { bubbles: true });
  Object.defineProperty(event, "target", { value: target });
  target.dispatchEvent(event);
}

function updateOpts(text) {
  Object.assign(opts, JSON.parse(text));
  runCallbacks(uiCallbacks.options);
  return [];
}

function get_uiCurrentTab() { return gradioApp().querySelector("#tabs > .tab-nav > button.selected, #tabs button[role=tab][aria-selected=true]"); }

function get_uiCurrentTabContent() {
  return [...gradioApp().querySelectorAll('#tabs > [id^="tab_"]')].find((tab) => tab.style.display !== "none");
}

function switchTo(name) {
  const buttons = [...gradioApp().querySelectorAll("#tabs button")];
  const button = buttons.find((candidate) => candidate.textContent.trim() === name);
  if (button) button.click();
  return [];
}

// An input accordion: the checkbox behind it, the one in its head line and its being open follow each other.
function setupInputAccordion(accordion) {
  const head = accordion.querySelector(".label-wrap");
  const box = gradioApp().querySelector(`#${CSS.escape(accordion.id)}-checkbox input`);
  if (!head || !box || accordion.dataset.ready) return;
  accordion.dataset.ready = "1";
  const isOpen = () => head.classList.contains("open");
  const shown = Object.assign(document.createElement("input"), { type: "checkbox", checked: isOpen(), id: `${accordion.id}-visible-checkbox` });
  shown.className = `${box.className} input-accordion-checkbox`;
  head.insertBefore(shown, head.firstChild);
  shown.addEventListener("click", (event) => event.stopPropagation());
  shown.addEventListener("change", () => { if (shown.checked !== isOpen()) head.click(); });
  new MutationObserver(() => {
    shown.checked = isOpen();
    if (box.checked !== isOpen()) { box.checked = isOpen(); box.dispatchEvent(new Event("change")); updateInput(box); }
  }).observe(head, { attributes: true, attributeFilter: ["class"] });
  const extra = gradioApp().querySelector(`#${CSS.escape(accordion.id)}-extra`);
  if (extra) head.insertBefore(extra, head.lastElementChild);
}

function inputAccordionChecked(id, checked) {
  const accordion = gradioApp().getElementById ? gradioApp().getElementById(id) : document.getElementById(id);
  const head = accordion && accordion.querySelector(".label-wrap");
  if (head && head.classList.contains("open") !== checked) head.click();
  return [];
}

function uiChanged(mutations) {
  if (!uiIsLoaded && gradioApp().querySelector("#txt2img_prompt textarea")) {
    uiIsLoaded = true;
    gradioApp().querySelectorAll(".input-accordion").forEach(setupInputAccordion);
    runCallbacks(uiCallbacks.loaded);
  }
  gradioApp().querySelectorAll(".input-accordion:not([data-ready])").forEach(setupInputAccordion);
  runCallbacks(uiCallbacks.update, mutations);
  const tab = get_uiCurrentTab();
  if (tab && tab !== uiTab) { uiTab = tab; runCallbacks(uiCallbacks.tab); }
  clearTimeout(afterUpdateTimer);
  afterUpdateTimer = setTimeout(() => runCallbacks(uiCallbacks.afterUpdate), 200);
}

// The A1111 line's translation: whole text nodes, titles and placeholders, of what is added to the page and only then.
function translateAdded(node) {
  const words = window.localization;
  const translate = (owner, name) => {
    const text = (owner[name] || "").trim();
    if (text in words) owner[name] = words[text];
  };
  const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  for (let text = texts.currentNode; text; text = texts.nextNode()) {
    if (text.nodeType !== Node.TEXT_NODE || /^(SCRIPT|STYLE|TEXTAREA)$/.test(text.parentElement?.nodeName)) continue;
    if (!/^[.\d]+$|\p{Extended_Pictographic}/u.test(text.data.trim())) translate(text, "data");
  }
  if (node.title) translate(node, "title");
  if (node.placeholder) translate(node, "placeholder");
}

document.addEventListener("DOMContentLoaded", () => {
  if (Object.keys(window.localization || {}).length) {
    onUiUpdate((mutations) => mutations.forEach((mutation) => mutation.addedNodes.forEach(translateAdded)));
    translateAdded(gradioApp());
  }
  new MutationObserver(uiChanged).observe(gradioApp(), { childList: true, subtree: true });
});
