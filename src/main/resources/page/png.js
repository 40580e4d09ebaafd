// How a picture was made, as its own text chunks tell: `imagen` (JSON), else `parameters` of AUTOMATIC1111's web UI.
// Chunks: https://www.w3.org/TR/png-3/#11textinfo
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Fields of a job; null where the picture says nothing. */
export async function readParameters(file) {
  const texts = textChunks(new Uint8Array(await file.arrayBuffer()));
  if (texts.imagen) {
    try {
      return JSON.parse(texts.imagen);
    } catch {
      // Not ours after all.
    }
  }
  return texts.parameters ? infotext(texts.parameters) : null;
}

function textChunks(bytes) {
  const texts = {};
  if (!SIGNATURE.every((byte, index) => bytes[index] === byte)) {
    return texts;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const data = bytes.subarray(at + 8, Math.min(at + 8 + length, bytes.length));
    if (type === 'IDAT') {
      break;
    }
    if (type === 'tEXt' || type === 'iTXt') {
      addText(texts, type, data);
    }
    at += 12 + length;
  }
  return texts;
}

function addText(texts, type, data) {
  const keyEnd = data.indexOf(0);
  const key = new TextDecoder('latin1').decode(data.subarray(0, keyEnd));
  if (type === 'tEXt') {
    texts[key] = new TextDecoder('latin1').decode(data.subarray(keyEnd + 1));
  } else if (data[keyEnd + 1] === 0) {
    // Not compressed; language and translated keyword follow, each with a zero behind it.
    const languageEnd = data.indexOf(0, keyEnd + 3);
    const translatedEnd = data.indexOf(0, languageEnd + 1);
    texts[key] = new TextDecoder().decode(data.subarray(translatedEnd + 1));
  }
}

/** The prompt, then "Negative prompt: …", then "Steps: 20, Seed: 1, Size: 512x512, …". */
function infotext(text) {
  const lines = text.trim().split('\n');
  const values = /^\w[\w ]*: /.test(lines.at(-1)) && lines.length > 1 ? lines.pop() : '';
  const negativeAt = lines.findIndex(line => line.startsWith('Negative prompt: '));
  const prompt = (negativeAt < 0 ? lines : lines.slice(0, negativeAt)).join('\n');
  const negative = negativeAt < 0 ? null : lines.slice(negativeAt).join('\n').slice('Negative prompt: '.length);
  const value = name => values.match(new RegExp(`(?:^|, )${name}: ([^,]+)`))?.[1] ?? null;
  const [width, height] = value('Size')?.split('x') ?? [null, null];
  return { prompt, negative_prompt: negative, steps: value('Steps'), seed: value('Seed'), width, height, model: value('Model') };
}
