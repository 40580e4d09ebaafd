// A picture dropped onto the page, or chosen: one that says how it was made fills the form, any other is an input.
import { upload } from './api.js';
import { change, fill } from './form.js';
import { tags, useEffect, useState } from './lib.js';
import { readParameters } from './png.js';
import { texts } from './texts.js';
import { toast, toastError } from './toast.js';

const { div } = tags;

const TYPES = ['image/png', 'image/jpeg', 'image/webp'];

async function take(file) {
  if (!TYPES.includes(file.type)) {
    toast(texts.drop.notPicture, { bad: true });
    return;
  }
  try {
    const parameters = file.type === 'image/png' ? await readParameters(file) : null;
    if (parameters) {
      fill(parameters);
      toast(texts.drop.filled);
    } else {
      change({ input: (await upload(file)).id });
      toast(texts.drop.uploaded);
    }
  } catch (e) {
    toastError(e);
  }
}

export function chooseFile() {
  const input = document.createElement('input');
  input.type = 'file';
  input.accept = TYPES.join(',');
  input.onchange = () => input.files.length && take(input.files[0]);
  input.click();
}

export function DropZone() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    // Entering a child is told before leaving its parent: only the balance says where the pointer is.
    let depth = 0;
    const hasFiles = event => [...(event.dataTransfer?.types ?? [])].includes('Files');
    const listeners = {
      dragenter(event) {
        if (hasFiles(event)) {
          depth++;
          setOver(true);
        }
      },
      dragleave(event) {
        if (hasFiles(event) && --depth <= 0) {
          depth = 0;
          setOver(false);
        }
      },
      dragover: event => hasFiles(event) && event.preventDefault(),
      drop(event) {
        depth = 0;
        setOver(false);
        if (hasFiles(event)) {
          event.preventDefault();
          take(event.dataTransfer.files[0]);
        }
      },
    };
    Object.entries(listeners).forEach(([name, listener]) => document.addEventListener(name, listener));
    return () => Object.entries(listeners).forEach(([name, listener]) => document.removeEventListener(name, listener));
  }, []);
  return over && div({ class: 'drop' }, texts.drop.here);
}
