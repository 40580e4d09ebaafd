// Short messages at the edge of the page; each may offer one thing to do.
import { createStore, tags, useStore } from './lib.js';
import { texts } from './texts.js';

const { button, div, p } = tags;

const SHOWN = 6000;
const SHOWN_WITH_ACTION = 12_000;

const toasts = createStore([]);
let last = 0;

/** `action`: what the button says and does, such as { name: 'Undo', run() {} } */
export function toast(message, { action = null, bad = false } = {}) {
  const id = ++last;
  toasts.update(shown => [...shown.slice(-3), { id, message, action, bad }]);
  setTimeout(() => dismiss(id), action ? SHOWN_WITH_ACTION : SHOWN);
}

/** Says why something did not work. */
export const toastError = error => toast(error.message || texts.failed.unknown, { bad: true });

const dismiss = id => toasts.update(shown => shown.filter(one => one.id !== id));

export function Toasts() {
  const shown = useStore(toasts);
  return div({ class: 'toasts', role: 'status', 'aria-live': 'polite' }, shown.map(one =>
    div({ class: one.bad ? 'toast bad' : 'toast', key: one.id },
      p(null, one.message),
      one.action && button({
        type: 'button',
        class: 'quiet',
        onClick() {
          dismiss(one.id);
          one.action.run();
        },
      }, one.action.name),
      button({ type: 'button', class: 'icon', 'aria-label': texts.toast.dismiss, onClick: () => dismiss(one.id) }, '×'))));
}
