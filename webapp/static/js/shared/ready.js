// Opens the forms that a script handles: it is the page's last module, so whoever handles them listens by now.
// A form that is sent before would load the page anew, with what was typed in its address.

for (const form of document.querySelectorAll("form[inert]")) form.removeAttribute("inert");
