// Opens the forms that a script handles. It is the page's last module, so all handlers listen by now.
// A form that is sent earlier would load the page again, with the typed words in its address.

for (const form of document.querySelectorAll("form[inert]")) form.removeAttribute("inert");
