// The page: who is there, then the view that the path names.
import { api } from './api.js';
import { catalog, loadCatalog } from './form.js';
import { DropZone } from './drop.js';
import { Gallery } from './gallery.js';
import { addImages, emptyGallery, loadMore, loadNewest } from './images.js';
import { forgetJobs, takeJobs, takeProgress, takeSoon } from './jobs.js';
import { h, render, tags, useEffect, useState, useStore } from './lib.js';
import { Make } from './make.js';
import { forgetPictures, tryPicturesAgain } from './picture.js';
import { actForAnother, owner, session, signOut, token } from './session.js';
import { ActFor, SignIn, signIn } from './signin.js';
import { connection, watchJobs } from './stream.js';
import { texts } from './texts.js';
import { toastError, Toasts } from './toast.js';
import { Viewer } from './viewer.js';
import { Watch } from './watch.js';

const { a, button, div, h1, header, main, nav, span } = tags;

const CATALOG_EVERY = 60_000;
const OPERATE = location.pathname === '/operate';

function App() {
  const { me, asked } = useStore(session);
  const known = useStore(session, () => owner());
  return div({ class: 'page' },
    me && known && !OPERATE && a({ class: 'skip', href: '#gallery', onClick: skip }, texts.skip),
    h(Header, { me, known }),
    main(null, asked && h(View, { me, known })),
    h(Toasts));
}

/** By hand: with the fragment in the URL, the way back from a picture would end here too. */
function skip(event) {
  event.preventDefault();
  document.getElementById('gallery').focus();
}

function View({ me, known }) {
  if (!me) {
    return h(SignIn);
  }
  if (OPERATE) {
    return h(OperateView, { me });
  }
  return known ? h(Studio, { key: known }) : h(ActFor);
}

function Header({ me, known }) {
  const state = useStore(connection);
  return header({ class: 'top' },
    h1(null, a({ href: '/' }, texts.title)),
    me?.operator && nav({ 'aria-label': texts.nav.label },
      a({ href: '/', 'aria-current': OPERATE ? undefined : 'page' }, texts.nav.make),
      a({ href: '/operate', 'aria-current': OPERATE ? 'page' : undefined }, texts.nav.operate)),
    div({ class: 'corner' },
      me && known && !OPERATE && span({ class: `connection ${state}`, role: 'status' }, texts.connection[state]),
      h(Theme),
      me && known && !me.owner_user_id && !OPERATE && button({ type: 'button', class: 'quiet', onClick: actForAnother }, texts.signIn.another),
      token() && button({ type: 'button', class: 'quiet', onClick: leave }, texts.signIn.out)));
}

/** Nothing of who leaves is left for who comes next, and no answer that is under way comes to them. */
function leave() {
  sessionStorage.clear();
  location.reload();
}

const THEMES = ['auto', 'light', 'dark'];
const SIGNS = { auto: '◐', light: '☀', dark: '☾' };

function Theme() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? 'auto');
  function turn() {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    if (next === 'auto') {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem('imagen.theme');
    } else {
      document.documentElement.dataset.theme = next;
      localStorage.setItem('imagen.theme', next);
    }
    setTheme(next);
  }
  return button({ type: 'button', class: 'icon', 'aria-label': texts.theme[theme], title: texts.theme[theme], onClick: turn }, SIGNS[theme]);
}

/** Make, watch and keep, for one owner. */
function Studio() {
  useEffect(() => {
    loadCatalog().catch(toastError);
    loadMore();
    const stop = watchJobs({ status: changed, progress: takeProgress, live });
    const timer = setInterval(() => !document.hidden && loadCatalog().catch(() => {}), CATALOG_EVERY);
    return () => {
      stop();
      clearInterval(timer);
      forgetJobs();
      emptyGallery();
      forgetPictures();
    };
  }, []);
  return div({ class: 'studio' }, h(Make), div({ class: 'results' }, h(Watch), h(Gallery)), h(Viewer), h(DropZone));
}

const changed = job => takeSoon(job, done => addImages(done.images));

/** What finished while nobody listened is in no event. */
function live() {
  api.jobs(50).then(takeJobs, toastError);
  loadNewest().catch(() => {});
  tryPicturesAgain();
  if (!catalog.get().loaded) {
    loadCatalog().catch(() => {});
  }
}

/** Loaded only where it is used: it brings the charts. */
function OperateView({ me }) {
  const [view, setView] = useState(null);
  useEffect(() => {
    import('./operate.js').then(loaded => setView(() => loaded.Operate), toastError);
  }, []);
  return view && h(view, { me });
}

async function start() {
  try {
    await signIn();
  } catch (e) {
    if (e.status === 401) {
      signOut(session.get().problem);
    } else {
      toastError(e);
      setTimeout(start, 2000);
    }
  }
}

start();
render(h(App), document.getElementById('app'));
