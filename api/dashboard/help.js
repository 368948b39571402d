// What the keys do.

import { html, useEffect, useRef } from "./html.js";
import { t } from "./i18n.js";

const KEYS = [
  ["j / k", "key.move"],
  ["Enter", "key.open"],
  ["Esc", "key.back"],
  ["/", "key.search"],
  ["1 … 6", "key.pages"],
  ["i", "key.actor"],
  ["p", "key.pause"],
  ["?", "key.help"],
];

export function Help({ onClose }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current.showModal(), []);
  return html`<dialog ref=${dialog} onClose=${onClose} aria-labelledby="help-title">
    <h2 id="help-title">${t("help.title")}</h2>
    <dl class="keys">${KEYS.map(([key, text]) => html`<dt><kbd>${key}</kbd></dt><dd>${t(text)}</dd>`)}</dl>
    <p>${t("help.more")}</p>
    <form method="dialog"><button type="submit" class="primary">${t("help.close")}</button></form>
  </dialog>`;
}
