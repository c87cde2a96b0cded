// Menus that open over the page (<details class="menu">): a press or the focus elsewhere closes them, and so does Escape.

/** @returns {HTMLDetailsElement[]} */
const open = () => [...document.querySelectorAll("details.menu[open]")].map((menu) => /** @type {any} */ (menu));

document.addEventListener("pointerdown", ({ target }) => {
  for (const menu of open()) if (!menu.contains(/** @type {Node} */ (target))) menu.open = false;
});

document.addEventListener("focusin", ({ target }) => {
  const to = /** @type {Element} */ (target);
  if (to.closest("dialog")) return; // it asks about the choice, and the focus comes back
  for (const menu of open()) if (!menu.contains(to)) menu.open = false;
});
// Before the page's own keys: Escape closes the menu and nothing else. A dialog over it takes its own.
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key === "Escape" && !document.querySelector("dialog[open]") && closeMenus()) event.stopImmediatePropagation();
  },
  true,
);

/** Closes the open menu and returns the focus to its button. Returns whether one was open. */
export function closeMenus() {
  const menus = open();
  for (const menu of menus) {
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }
  return menus.length > 0;
}
