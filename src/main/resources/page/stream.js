// The one stream of all jobs. An EventSource cannot send a token, so each connection has a ticket of its own, and comes
// back with the last event's id in the URL.
import { api, ofOwner } from './api.js';
import { createStore } from './lib.js';
import { session, token } from './session.js';

const FIRST_WAIT = 250;
const LONGEST_WAIT = 5000;

/** 'opening', 'open' or 'lost' */
export const connection = createStore('opening');

/** Opens it, and opens it again, until the answer is called. `status` gets jobs, `progress` gets steps, `live` is called after each opening: what happened before it is to be asked for. */
export function watchJobs({ status, progress, live }) {
  let source = null;
  let timer = null;
  let ended = false;
  let lastId = null;
  let wait = FIRST_WAIT;
  let before = false;
  let round = 0;
  let since = null;

  /** Whatever was being opened before is of no use any more. */
  async function open() {
    const mine = ++round;
    try {
      const ticket = token() ? await api.ticket() : null;
      if (!ended && mine === round) {
        listen(new EventSource(ofOwner('/jobs/events', { ticket, last_event_id: lastId })));
      }
    } catch {
      // Signed out meanwhile, or nobody answers.
      if (mine === round) {
        again();
      }
    }
  }

  function listen(opened) {
    source?.close();
    source = opened;
    source.onopen = () => {
      since = performance.now();
      connection.set('open');
      before = true;
      live();
    };
    source.onerror = () => {
      opened.close();
      // A service that is stopping opens streams and ends them at once: only one that lasted makes up for failures.
      if (since !== null && performance.now() - since > LONGEST_WAIT) {
        wait = FIRST_WAIT;
      }
      since = null;
      if (opened === source) {
        again();
      }
    };
    source.addEventListener('status', event => {
      lastId = event.lastEventId;
      status(JSON.parse(event.data));
    });
    source.addEventListener('progress', event => progress(JSON.parse(event.data)));
  }

  function again() {
    if (ended || !session.get().me) {
      return;
    }
    connection.set(before ? 'lost' : 'opening');
    timer = setTimeout(open, wait * (0.5 + Math.random() / 2));
    wait = Math.min(2 * wait, LONGEST_WAIT);
  }

  // Who comes back to a sleeping tab, or to the network, does not want to wait.
  const hurry = () => {
    if (connection.get() === 'lost' && !document.hidden) {
      clearTimeout(timer);
      wait = FIRST_WAIT;
      timer = setTimeout(open, 0);
    }
  };
  globalThis.addEventListener('online', hurry);
  document.addEventListener('visibilitychange', hurry);
  connection.set('opening');
  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    source?.close();
    globalThis.removeEventListener('online', hurry);
    document.removeEventListener('visibilitychange', hurry);
  };
}
