// The pictures of the gallery, newest first, page by page.
import { api } from './api.js';
import { lookAgain } from './jobs.js';
import { createStore } from './lib.js';
import { texts } from './texts.js';
import { newestFirst } from './times.js';
import { toast, toastError } from './toast.js';

const PAGE = 60;

/** `cursor`: of the next page, null after the last; `failed`: the last page did not come. */
export const gallery = createStore({ images: [], cursor: undefined, loading: false, failed: false });

/** Counts up when the gallery begins anew, so that a page that was asked for before is dropped. */
let round = 0;

export function emptyGallery() {
  round++;
  gallery.set({ images: [], cursor: undefined, loading: false, failed: false });
}

export async function loadMore() {
  const state = gallery.get();
  if (state.loading || state.cursor === null) {
    return;
  }
  const asked = round;
  gallery.set({ ...state, loading: true, failed: false });
  try {
    const page = await api.images(PAGE, state.cursor);
    if (asked === round) {
      gallery.update(now => ({ images: merged(now.images, page.images), cursor: page.next_cursor, loading: false, failed: false }));
    }
  } catch {
    if (asked === round) {
      gallery.update(now => ({ ...now, loading: false, failed: true }));
    }
  }
}

/** What came while nobody listened. */
export async function loadNewest() {
  const { images } = await api.images(PAGE);
  take(images);
}

/** Adds the pictures of a job that has become done. */
export async function addImages(ids) {
  const found = await Promise.allSettled(ids.map(api.image));
  take(found.filter(one => one.status === 'fulfilled').map(one => one.value));
}

const take = images => gallery.update(state => ({ ...state, images: merged(state.images, images) }));

function merged(known, more) {
  const all = new Map(known.map(image => [image.id, image]));
  more.forEach(image => all.set(image.id, image));
  return [...all.values()].sort(newestFirst);
}

/** Gone at once; the server brings it back for five minutes. */
export async function removeImage(image) {
  gallery.update(state => ({ ...state, images: state.images.filter(one => one.id !== image.id) }));
  try {
    await api.remove(image.id);
    tellJob(image);
    toast(texts.keep.deleted, { action: { name: texts.keep.undo, run: () => restore(image) } });
  } catch (e) {
    take([image]);
    toastError(e);
  }
}

async function restore(image) {
  try {
    take([await api.restore(image.id)]);
    tellJob(image);
  } catch (e) {
    toastError(e);
  }
}

const tellJob = image => image.job_id && lookAgain(image.job_id).catch(() => {});
