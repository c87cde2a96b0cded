// Writing to the page.

/** Sets a data attribute only if it changes: browsers recompute styles even for an equal value. */
export function mark(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}
