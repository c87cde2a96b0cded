// Writing to the page.

/** Sets a data attribute if it has another value: a browser asks all that may depend on it even if it has the same. */
export function mark(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}
