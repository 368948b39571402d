// Keys. Nothing here fires while somebody types.

const held = [];

export function bind(map) {
  held.push(map);
  return () => held.splice(held.indexOf(map), 1);
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]")) return; // it has its own
  const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
  if (typing && event.key !== "Escape") return;
  if (event.key === "Enter" && event.target.closest?.("a, button, summary")) return;
  for (const map of held.toReversed()) {
    if (map[event.key]) {
      event.preventDefault();
      map[event.key](event);
      return;
    }
  }
});
