// Jobs as cards that live.
import { api } from './api.js';
import { openViewer } from './gallery.js';
import { askPositions, clearFinished, isFinished, jobs, shown, takeJobs } from './jobs.js';
import { h, tags, useEffect, useStore } from './lib.js';
import { Picture } from './picture.js';
import { texts } from './texts.js';
import { notAfter } from './times.js';
import { toastError } from './toast.js';

const { a, article, button, div, h2, h3, img, li, p, progress, section, span, ul } = tags;

const t = texts.watch;

/** More cards than anybody looks at only slow the page down. */
const MOST = 60;

const POSITIONS_EVERY = 3000;

/** In turn: there may be many. */
const POSITIONS_AT_ONCE = 12;

export function Watch() {
  const state = useStore(jobs);
  const visible = shown(state);
  const waiting = visible.slice(0, MOST).filter(job => job.status === 'pending').map(job => job.id);
  useEffect(() => {
    if (!waiting.length) {
      return undefined;
    }
    let from = 0;
    const ask = () => {
      askPositions(waiting.slice(from, from + POSITIONS_AT_ONCE));
      from = from + POSITIONS_AT_ONCE < waiting.length ? from + POSITIONS_AT_ONCE : 0;
    };
    ask();
    const timer = setInterval(() => !document.hidden && ask(), POSITIONS_EVERY);
    return () => clearInterval(timer);
  }, [waiting.join()]);
  return section({ class: 'watch', 'aria-labelledby': 'watch-heading' },
    div({ class: 'heading' },
      h2({ id: 'watch-heading' }, t.heading),
      visible.some(isFinished) && button({ type: 'button', class: 'quiet', onClick: clearFinished }, t.clear)),
    h(News, { job: visible.reduce((latest, job) => (latest && notAfter(job.updated_at, latest.updated_at) ? latest : job), null) }),
    state.loaded && !visible.length && p({ class: 'hint' }, t.none),
    ul({ class: 'cards' }, visible.slice(0, MOST).map(job => h(Card, { key: job.id, job, step: state.progress.get(job.id) }))),
    visible.length > MOST && p({ class: 'hint' }, t.more(visible.length - MOST)));
}

/** What changed last, for those who hear the page. */
const News = ({ job }) => p({ class: 'unseen', role: 'status' }, job && `${t.status[job.status]}: ${job.prompt}`);

function Card({ job, step }) {
  return li(null, article({ class: `card ${job.status}`, 'data-job': job.id, 'data-status': job.status, 'aria-label': `${t.status[job.status]}: ${job.prompt}` },
    h(CardPicture, { job, step }),
    div({ class: 'words' },
      h3({ title: job.prompt }, job.prompt),
      p({ class: 'state' }, span({ class: 'status' }, t.status[job.status]), ' ', details(job, step)),
      job.status === 'running' && progress({ max: step?.steps ?? 1, value: step ? step.step : undefined, 'aria-label': job.prompt }),
      job.error && job.status !== 'done' && p({ class: 'error' }, job.error),
      div({ class: 'actions' },
        !isFinished(job) && button({ type: 'button', class: 'quiet', disabled: Boolean(job.cancel_requested_at), onClick: () => move(api.cancel, job) }, t.cancel),
        (job.status === 'failed' || job.status === 'cancelled') && button({ type: 'button', onClick: () => move(api.retry, job) }, t.retry)))));
}

function details(job, step) {
  switch (job.status) {
    case 'pending':
      return waitingFor(job);
    case 'running':
      if (job.cancel_requested_at) {
        return t.stopping;
      }
      return step ? [t.step(step.step, step.steps), step.step > 0 && t.eta(step.eta)].filter(Boolean).join(', ') : t.starting;
    case 'done':
      return job.images.length > 1 ? t.pictures(job.images.length) : '';
    default:
      return '';
  }
}

function waitingFor(job) {
  if (new Date(job.run_at) - Date.now() > 1000) {
    return job.error ? t.retrying : t.scheduled(job.run_at);
  }
  return job.position ? t.position(job.position) : '';
}

function CardPicture({ job, step }) {
  if (job.status === 'done' && job.image_id) {
    return a({ class: 'frame', href: `#image=${job.image_id}`, 'aria-label': t.open(job.prompt), onClick: event => openViewer(event, job.image_id) },
      h(Picture, { id: job.image_id, alt: job.prompt }));
  }
  if (job.status === 'done') {
    return div({ class: 'frame empty' }, span(null, t.gone));
  }
  return div({ class: 'frame empty' }, step?.preview && img({ src: step.preview, alt: t.preview(job.prompt) }));
}

async function move(call, job) {
  try {
    takeJobs([await call(job.id)]);
  } catch (e) {
    toastError(e);
  }
}
