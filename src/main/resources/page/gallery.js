// All pictures, with endless scrolling.
import { gallery, loadMore } from './images.js';
import { h, tags, useEffect, useRef, useStore } from './lib.js';
import { Picture } from './picture.js';
import { texts } from './texts.js';

const { a, button, div, h2, li, p, section, ul } = tags;

const t = texts.keep;

export const promptOf = image => image.request?.prompt ?? image.prompt ?? t.upload;

/** Without a new entry in the history for each picture, so that *back* leads to the gallery. */
export function openViewer(event, id) {
  event.preventDefault();
  history.pushState({ viewer: true }, '', `#image=${id}`);
  globalThis.dispatchEvent(new Event('hashchange'));
}

export function Gallery() {
  const { images, cursor, loading, failed } = useStore(gallery);
  const end = useRef();
  useEffect(() => {
    const observer = new IntersectionObserver(entries => entries.some(entry => entry.isIntersecting) && loadMore(), { rootMargin: '800px' });
    observer.observe(end.current);
    return () => observer.disconnect();
    // Observed anew after each page: where the end is still in view then, the next one is loaded.
  }, [images.length, cursor]);
  return section({ class: 'gallery', 'aria-labelledby': 'gallery-heading', id: 'gallery', tabIndex: -1 },
    h2({ id: 'gallery-heading' }, t.heading),
    ul({ class: 'tiles' }, images.map(image => h(Tile, { key: image.id, image }))),
    div({ ref: end, class: 'end', 'aria-live': 'polite' },
      loading && p({ class: 'hint' }, t.loading),
      failed && button({ type: 'button', onClick: loadMore }, t.again),
      cursor === null && p({ class: 'hint' }, images.length ? t.end : t.none)));
}

const Tile = ({ image }) => li({ class: 'tile', 'data-image': image.id },
  a({ href: `#image=${image.id}`, 'aria-label': t.open(promptOf(image)), onClick: event => openViewer(event, image.id) },
    h(Picture, { id: image.id, alt: promptOf(image) })));
