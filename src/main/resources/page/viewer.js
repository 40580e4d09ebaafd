// One picture, whole, with how it was made and what can be done with it.
import { api } from './api.js';
import { change, fill, randomSeed } from './form.js';
import { promptOf } from './gallery.js';
import { gallery, loadMore, removeImage } from './images.js';
import { takeJobs } from './jobs.js';
import { h, tags, useEffect, useRef, useState, useStore } from './lib.js';
import { whole } from './picture.js';
import { ownerNamed, session } from './session.js';
import { curl, jobOf, sql } from './share.js';
import { format, texts } from './texts.js';
import { toast, toastError, Toasts } from './toast.js';

const { button, dd, dialog, div, dl, dt, h2, img, p } = tags;

const t = texts.viewer;

const asked = () => location.hash.match(/^#image=([0-9a-f-]{36})$/)?.[1] ?? null;

/** Shows what the URL's fragment names. */
export function Viewer() {
  const [id, setId] = useState(asked());
  const { images } = useStore(gallery);
  const [other, setOther] = useState(null);
  useEffect(() => {
    const look = () => setId(asked());
    globalThis.addEventListener('hashchange', look);
    globalThis.addEventListener('popstate', look);
    return () => {
      globalThis.removeEventListener('hashchange', look);
      globalThis.removeEventListener('popstate', look);
    };
  }, []);
  const listed = images.find(one => one.id === id);
  useEffect(() => {
    if (id && !listed) {
      api.image(id).then(setOther, e => {
        toastError(e);
        close();
      });
    }
  }, [id]);
  const image = listed ?? (other?.id === id ? other : null);
  return id && image && h(Shown, { key: 'shown', image, images });
}

function close() {
  if (history.state?.viewer) {
    history.back();
  } else {
    history.replaceState(null, '', location.pathname);
    globalThis.dispatchEvent(new Event('hashchange'));
  }
}

function goTo(image) {
  history.replaceState(history.state, '', `#image=${image.id}`);
  globalThis.dispatchEvent(new Event('hashchange'));
}

function Shown({ image, images }) {
  const element = useRef();
  const [url, setUrl] = useState(null);
  const index = images.findIndex(one => one.id === image.id);
  const job = jobOf(image);
  const actions = actionsOf(image, job, images, index);
  useEffect(() => {
    // Left open behind a closed one it would keep the page from being used.
    const opened = element.current;
    const before = document.activeElement;
    opened.showModal();
    opened.focus();
    return () => {
      opened.close();
      (before?.isConnected ? before : document.getElementById('gallery'))?.focus();
    };
  }, []);
  useEffect(() => {
    let current = true;
    setUrl(null);
    whole(image.id).then(found => current && setUrl(found), toastError);
    if (index >= images.length - 5) {
      loadMore();
    }
    return () => {
      current = false;
    };
  }, [image.id]);

  function key(event) {
    // A key that is held is to turn the pages, and nothing else.
    if (event.repeat && !event.key.startsWith('Arrow')) {
      return;
    }
    const action = actions.find(one => one.key === event.key || one.key === event.key.toLowerCase());
    if (action && !action.disabled && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      action.run(url);
    }
  }

  return dialog({
    class: 'viewer', ref: element, tabIndex: -1, 'aria-label': t.label(promptOf(image)), onKeyDown: key,
    onCancel(event) {
      event.preventDefault();
      close();
    },
  },
  div({ class: 'stage' },
    h(Turn, { action: actions[0], sign: '‹' }),
    // The size is known before the bytes are: nothing jumps.
    img({ src: url ?? undefined, alt: promptOf(image), width: image.width, height: image.height }),
    h(Turn, { action: actions[1], sign: '›' })),
  div({ class: 'about' },
    div({ class: 'heading' },
      h2(null, promptOf(image)),
      button({ type: 'button', class: 'icon', 'aria-label': t.close, onClick: close }, '×')),
    div({ class: 'actions' }, actions.slice(2).map(action =>
      button({ type: 'button', key: action.name, class: action.class, 'aria-disabled': action.disabled ? 'true' : undefined, onClick: () => !action.disabled && action.run(url) }, action.name))),
    h(Facts, { image, job }),
    p({ class: 'hint' }, t.keys)),
  // Those of the page are inert behind the dialog.
  h(Toasts));
}

/** Not `disabled` at the ends: the button would lose the focus, and the keys with it. */
const Turn = ({ action, sign }) => button({
  type: 'button', class: 'turn', 'aria-label': action.name, 'aria-disabled': action.disabled ? 'true' : undefined,
  onClick: () => !action.disabled && action.run(),
}, sign);

function actionsOf(image, job, images, index) {
  const before = images[index - 1];
  const after = index < 0 ? undefined : images[index + 1];
  const away = action => () => {
    action();
    close();
  };
  return [
    { name: t.previous, key: 'ArrowLeft', disabled: !before, run: () => goTo(before) },
    { name: t.next, key: 'ArrowRight', disabled: !after, run: () => goTo(after) },
    { name: t.again, key: 'a', class: 'primary', disabled: !job, run: away(() => make(job)) },
    { name: t.vary, key: 'v', disabled: !job || image.seed === null, run: away(() => make({ ...job, seed: Number(randomSeed()) })) },
    { name: t.edit, key: 'e', disabled: !job, run: away(() => fill({ ...image.request, ...job })) },
    { name: t.asInput, key: 'i', run: away(() => change({ input: image.id })) },
    { name: t.download, key: 'd', run: url => download(image, url) },
    { name: t.curl, key: 'c', disabled: !job, run: () => copy(curl(ownerNamed() ? { ...job, owner_user_id: ownerNamed() } : job, session.get().me.auth !== 'none')) },
    { name: t.sql, key: 's', disabled: !job, run: () => copy(sql(job, image.owner_user_id)) },
    {
      name: t.remove, key: 'Delete', class: 'danger',
      run() {
        const next = after ?? before;
        removeImage(image);
        if (next) {
          goTo(next);
        } else {
          close();
        }
      },
    },
  ];
}

async function make(job) {
  try {
    takeJobs([await api.makeJob(job)]);
  } catch (e) {
    toastError(e);
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t.copied);
  } catch {
    toast(t.notCopied, { bad: true });
  }
}

/** The file as it is stored: a PNG has its parameters inside. */
function download(image, url) {
  if (url) {
    const link = document.createElement('a');
    link.href = url;
    link.download = `${image.id}.${image.mime_type.split('/')[1]}`;
    // Of another origin it is shown instead of kept: not in the place of this page.
    link.target = url.startsWith('http') ? '_blank' : '';
    link.rel = 'noopener';
    link.click();
  }
}

function Facts({ image, job }) {
  const names = t.names;
  const facts = [
    [names.prompt_sent, image.request && image.request.prompt !== image.prompt ? image.prompt : null],
    [names.negative_prompt, image.negative_prompt],
    [names.style, image.style],
    [names.backend, image.backend],
    [names.model, image.model],
    [names.size, `${image.width} × ${image.height}`],
    [names.steps, image.steps],
    [names.seed, image.seed],
    [names.strength, job?.strength],
    [names.params, job?.params && JSON.stringify(job.params)],
    [names.file, t.file(image.mime_type, image.byte_size)],
    [names.created, format.time(image.created_at)],
    [names.id, image.id],
  ].filter(([, value]) => value !== null && value !== undefined);
  return dl(null, facts.map(([name, value]) => div({ key: name }, dt(null, name), dd(null, String(value)))));
}
