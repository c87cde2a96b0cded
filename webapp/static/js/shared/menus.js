// Menus that open over the page (<details class="menu">): a press elsewhere or Escape closes them.

/** @returns {HTMLDetailsElement[]} */
const open = () => [...document.querySelectorAll("details.menu[open]")].map((menu) => /** @type {any} */ (menu));

document.addEventListener("pointerdown", ({ target }) => {
  for (const menu of open()) if (!menu.contains(/** @type {Node} */ (target))) menu.open = false;
});

/** Closes the open menu and returns the focus to its button. Returns whether one was open. */
export function closeMenus() {
  const menus = open();
  for (const menu of menus) {
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }
  return menus.length > 0;
}
