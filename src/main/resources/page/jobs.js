// The jobs that the page knows, newest first, kept up to date by the stream.
import { api } from './api.js';
import { createStore } from './lib.js';
import { newestFirst, notAfter } from './times.js';

/** Finished jobs that stay on show; those that are not finished all do. */
const FINISHED_SHOWN = 12;

const FINISHED = ['done', 'failed', 'cancelled'];

export const isFinished = job => FINISHED.includes(job.status);

const CLEARED = 'imagen.cleared';

const nothing = () => ({ all: new Map(), progress: new Map(), cleared: sessionStorage.getItem(CLEARED), loaded: false });

/** `all` maps ids to jobs, `progress` ids to the last step; what had finished by `cleared` is not shown any more. */
export const jobs = createStore(nothing());

export const forgetJobs = () => jobs.set(nothing());

/** Takes jobs that are newer than what is known; answers those that have become done with this. */
export function takeJobs(found) {
  const state = jobs.get();
  const all = new Map(state.all);
  const progress = new Map(state.progress);
  const done = [];
  for (const job of found) {
    const known = all.get(job.id);
    if (known && known.version >= job.version) {
      continue;
    }
    all.set(job.id, { ...job, position: job.position ?? (job.status === 'pending' ? known?.position : null) });
    if (job.status !== 'running' || known?.attempt !== job.attempt) {
      progress.delete(job.id);
    }
    if (job.status === 'done' && known?.status !== 'done') {
      done.push(job);
    }
  }
  jobs.set({ ...state, all: trimmed(all), progress, loaded: true });
  return done;
}

const TOGETHER = 16;

let arrived = [];
let tell = () => {};

/** What comes within one frame is taken at once: a stream may begin with thousands of jobs. `whenDone` hears of those that have become done. */
export function takeSoon(job, whenDone) {
  tell = whenDone;
  if (arrived.push(job) === 1) {
    setTimeout(takeArrived, TOGETHER);
  }
}

function takeArrived() {
  const found = arrived;
  arrived = [];
  takeJobs(found).forEach(tell);
}

/** A page that stays open for days must not keep every job of those days. */
function trimmed(all) {
  const finished = [...all.values()].filter(isFinished).sort(newestFirst).slice(10 * FINISHED_SHOWN);
  finished.forEach(job => all.delete(job.id));
  return all;
}

/** A step is told once, and after its job: that one has to be taken first, or it would make away with the step. */
export function takeProgress(step) {
  if (arrived.length) {
    takeArrived();
  }
  jobs.update(state => {
    const known = state.progress.get(step.job_id);
    const progress = new Map(state.progress);
    progress.set(step.job_id, { ...step, preview: step.preview ?? known?.preview ?? null });
    return { ...state, progress };
  });
}

/** Of the times that are shown the latest, by the server's clock: this machine's may be another. */
export function clearFinished() {
  const times = [...jobs.get().all.values()].filter(isFinished).map(job => job.updated_at);
  const cleared = times.reduce((latest, time) => (notAfter(latest, time) ? time : latest));
  sessionStorage.setItem(CLEARED, cleared);
  jobs.update(state => ({ ...state, cleared }));
}

/** Those to be shown: all that are not finished, and the latest of the others. */
export function shown({ all, cleared }) {
  const visible = [...all.values()].filter(job => !isFinished(job) || !cleared || !notAfter(job.updated_at, cleared)).sort(newestFirst);
  let finished = 0;
  return visible.filter(job => !isFinished(job) || ++finished <= FINISHED_SHOWN);
}

/** A job's picture was deleted, or is back: that is no move of the job, and no event tells of it. */
export async function lookAgain(id) {
  const found = await api.job(id);
  jobs.update(state => (state.all.has(id) && state.all.get(id).version <= found.version ? { ...state, all: new Map(state.all).set(id, found) } : state));
}

/** A job's place in line is in no event: it is asked for those that are on show. */
export async function askPositions(ids) {
  for (const id of ids) {
    try {
      const found = await api.job(id);
      jobs.update(state => {
        const known = state.all.get(id);
        if (!known || known.version > found.version) {
          return state;
        }
        return { ...state, all: new Map(state.all).set(id, { ...known, position: found.position }) };
      });
    } catch {
      // It is asked again soon.
    }
  }
}
