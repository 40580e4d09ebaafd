// Pictures that may need a token: an <img> sends none, so they are fetched and shown from memory. Where the server lets
// everybody in, an <img> does it all.
import { api, Refused, request } from './api.js';
import { createStore, h, useEffect, useRef, useState, useStore } from './lib.js';
import { session } from './session.js';
import { texts } from './texts.js';

const AT_ONCE = 6;
const KEPT = 600;

const open = () => session.get().me?.auth === 'none';

/** Object URLs by path, those used last at the end. */
const kept = new Map();
const waiting = [];
let running = 0;

/** A URL for <img> of a thumbnail. */
export const thumbnail = async id => (await fetched(`/images/${id}/thumbnail`)) ?? whole(id);

/** A URL for <img> of the whole picture: the store's own where it is a remote one. */
export async function whole(id) {
  if (open()) {
    return `/images/${id}/content`;
  }
  const { url } = await api.link(id);
  return url.startsWith('/') ? fetched(url) : url;
}

function fetched(path) {
  if (open()) {
    return Promise.resolve(path);
  }
  if (!kept.has(path)) {
    keep(path, new Promise((resolve, reject) => {
      waiting.push({ path, resolve, reject });
      next();
    }));
  } else {
    keep(path, kept.get(path));
  }
  return kept.get(path);
}

function keep(path, url) {
  kept.delete(path);
  kept.set(path, url);
  if (kept.size > KEPT) {
    const [oldest, unused] = kept.entries().next().value;
    kept.delete(oldest);
    unused.then(URL.revokeObjectURL, () => {});
  }
}

async function next() {
  // The last that was asked for is the one that is in view.
  if (running >= AT_ONCE || !waiting.length) {
    return;
  }
  const { path, resolve, reject } = waiting.pop();
  running++;
  try {
    // To a remote store, where this page may show pictures but not fetch them.
    const response = await request(path, { redirect: 'manual' });
    if (response.type === 'opaqueredirect') {
      resolve(null);
      return;
    }
    if (!response.ok) {
      throw new Refused(response.status);
    }
    resolve(URL.createObjectURL(await response.blob()));
  } catch (e) {
    kept.delete(path);
    reject(e);
  } finally {
    running--;
    next();
  }
}

/** Forgets everything that was fetched, as when somebody signs out. */
export function forgetPictures() {
  kept.forEach(url => url.then(URL.revokeObjectURL, () => {}));
  kept.clear();
}

/** What fails while the service is away is tried again after 1, 2, 4 … seconds, and at once when it is back. */
const MOST_DOUBLINGS = 5;

const GONE = [404, 410];

const returns = createStore(0);

export const tryPicturesAgain = () => returns.update(count => count + 1);

/** An <img> that is loaded when it comes near the view. */
export function Picture({ id, load = thumbnail, alt, ...rest }) {
  const element = useRef();
  const [url, setUrl] = useState(null);
  const [broken, setBroken] = useState(false);
  const [turn, setTurn] = useState(0);
  const first = useRef(0);
  const back = useStore(returns);
  useEffect(() => {
    let current = true;
    setUrl(null);
    setBroken(false);
    const observer = new IntersectionObserver(entries => {
      if (entries.some(entry => entry.isIntersecting)) {
        observer.disconnect();
        load(id).then(found => current && setUrl(found), e => current && setBroken(GONE.includes(e.status) ? 'gone' : 'failed'));
      }
    }, { rootMargin: '400px' });
    observer.observe(element.current);
    return () => {
      current = false;
      observer.disconnect();
    };
  }, [id, turn]);
  useEffect(() => {
    const timer = broken === 'failed' ? setTimeout(() => setTurn(turn + 1), 1000 * 2 ** Math.min(turn - first.current, MOST_DOUBLINGS)) : undefined;
    return () => clearTimeout(timer);
  }, [broken, turn]);
  useEffect(() => {
    first.current = turn;
    if (broken === 'failed') {
      first.current = turn + 1;
      setTurn(turn + 1);
    }
  }, [back]);
  return h('span', { class: broken ? 'picture broken' : 'picture', ref: element },
    url && !broken && h('img', { src: url, alt, decoding: 'async', onError: () => setBroken('failed'), ...rest }),
    broken && h('span', { class: 'broken-text', role: 'img', 'aria-label': alt }, texts.keep.broken));
}
