// A picture's request, as something to run again elsewhere.

const FIELDS = ['prompt', 'negative_prompt', 'backend', 'model', 'style', 'width', 'height', 'steps', 'seed', 'params', 'input_image_id', 'strength'];

/** The job that made a picture, with what was decided for it: its seed, its size, its model. Null for an upload. */
export function jobOf(image) {
  if (!image.backend) {
    return null;
  }
  // The words of a style are in the prompt that was sent: without the request, the style is not named again.
  // Of several pictures it is this one, so `count` is not among the fields.
  const asked = image.request ?? { prompt: image.prompt, negative_prompt: image.negative_prompt };
  const made = { backend: image.backend, model: image.model, width: image.width, height: image.height, steps: image.steps, seed: image.seed };
  const job = { ...asked, ...made };
  return Object.fromEntries(FIELDS.filter(name => job[name] !== null && job[name] !== undefined).map(name => [name, job[name]]));
}

const shellQuoted = text => `'${text.replaceAll("'", "'\\''")}'`;

/** The token is not in it: it would end in a history, or in a chat. */
export function curl(job, needsToken) {
  return [
    `curl -s ${shellQuoted(`${location.origin}/jobs`)}`,
    ...(needsToken ? ['-H "Authorization: Bearer $IMAGEN_TOKEN"'] : []),
    "-H 'Content-Type: application/json'",
    `-d ${shellQuoted(JSON.stringify(job))}`,
  ].join(' \\\n  ');
}

const sqlQuoted = text => `'${text.replaceAll("'", "''")}'`;

const sqlValue = value => (typeof value === 'number' ? String(value) : typeof value === 'object' ? `${sqlQuoted(JSON.stringify(value))}::jsonb` : sqlQuoted(value));

export function sql(job, owner) {
  const values = { owner_user_id: owner, ...job };
  return `insert into imagen.jobs (${Object.keys(values).join(', ')})\nvalues (${Object.values(values).map(sqlValue).join(', ')})\nreturning id;`;
}
