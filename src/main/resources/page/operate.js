// For operators: the queue now and over time, who works on it, and moves of many jobs at once.
import { api } from './api.js';
import { Chart, loadCharts } from './charts.js';
import { h, tags, useEffect, useMemo, useRef, useState } from './lib.js';
import { format, texts } from './texts.js';
import { toast, toastError } from './toast.js';

const { button, dd, dialog, div, dl, dt, h2, input, label, option, p, section, select, table, tbody, td, th, thead, tr } = tags;

const t = texts.operate;

const EVERY = 3000;
const DAYS = 30;

/**
 * What the server says, asked again every so often: `answer` is the last one, `failed` why there is no newer one, and
 * `again` asks at once.
 */
function usePolled(ask, every, inputs) {
  const [found, setFound] = useState({ answer: null, failed: null });
  const again = useRef(() => {});
  useEffect(() => {
    let current = 0;
    again.current = async () => {
      const mine = ++current;
      const next = await ask().then(answer => () => ({ answer, failed: null }), failed => ({ answer }) => ({ answer, failed }));
      // An answer that was overtaken is older than what is shown.
      if (mine === current) {
        setFound(next);
      }
    };
    again.current();
    const timer = setInterval(() => !document.hidden && again.current(), every);
    return () => {
      current = -1;
      clearInterval(timer);
    };
  }, inputs);
  return { ...found, again: () => again.current() };
}

export function Operate({ me }) {
  useEffect(() => {
    document.title = `${t.heading} – ${texts.title}`;
  }, []);
  if (!me.operator) {
    return p({ class: 'operate', role: 'alert' }, t.forbidden);
  }
  return h(Panels);
}

function Panels() {
  const [minutes, setMinutes] = useState(60);
  const { answer: queue, failed, again } = usePolled(api.queue, EVERY, []);
  const [charts, setCharts] = useState(false);
  useEffect(() => {
    loadCharts().then(() => setCharts(true), toastError);
  }, []);
  return div({ class: 'operate' },
    failed && p({ class: 'error', role: 'alert' }, queue ? `${failed.message} ${t.old}` : failed.message),
    queue && h(Queue, { queue, again }),
    section({ class: 'panel', 'aria-label': t.depth },
      label({ for: 'span' }, t.span, ' ',
        select({ id: 'span', value: minutes, onChange: event => setMinutes(Number(event.target.value)) },
          Object.entries(t.spans).map(([value, name]) => option({ key: value, value }, name)))),
      charts && h(History, { key: minutes, minutes, now: queue?.total })),
    h(Failures, { key: `failures-${minutes}`, minutes }),
    h(Workers),
    charts && h(Usage),
    queue && h(Many, { backends: queue.backends.map(one => one.backend).filter(Boolean), again }));
}

function Queue({ queue, again }) {
  const everything = queue.total.paused;
  async function turn(call, backend) {
    try {
      await call(backend);
      again();
    } catch (e) {
      toastError(e);
    }
  }
  const totals = { ...queue.total, oldest: waited(queue.total) };
  return section({ class: 'panel', 'aria-labelledby': 'queue-heading' },
    div({ class: 'heading' }, h2({ id: 'queue-heading' }, t.queue),
      everything
        ? button({ type: 'button', class: 'primary', onClick: () => turn(api.resume) }, t.resumeAll)
        : button({ type: 'button', onClick: () => turn(api.pause) }, t.pauseAll)),
    everything && p({ role: 'alert', class: 'error' }, t.allPaused),
    dl({ class: 'totals' }, Object.entries(t.totals).map(([name, text]) => div({ key: name },
      dt(null, text), dd(null, typeof totals[name] === 'number' ? format.number(totals[name]) : totals[name])))),
    h(Rows, {
      label: t.queue,
      columns: ['backend', 'pending', 'scheduled', 'running', 'oldest', 'state'],
      rows: queue.backends.map(one => [
        one.backend ?? t.byDefault, format.number(one.pending), format.number(one.scheduled), format.number(one.running), waited(one),
        one.backend && !everything && h(Turn, { paused: one.paused, backend: one.backend, turn }),
      ]),
    }));
}

const waited = ({ oldest_seconds: seconds }) => (seconds === null ? '–' : format.duration(seconds));

function Turn({ paused, backend, turn }) {
  const [name, call] = paused ? [t.resume, api.resume] : [t.pause, api.pause];
  return button({ type: 'button', 'aria-label': `${name} ${backend}`, onClick: () => turn(call, backend) }, name);
}

/** A table; the first cell of each row is its header. */
const Rows = ({ label: name, columns, rows }) => div({ class: 'scroll', tabIndex: 0, role: 'group', 'aria-label': name }, table(null,
  thead(null, tr(null, columns.map(column => th({ scope: 'col', key: column }, t.columns[column])))),
  tbody(null, rows.map(([first, ...rest]) => tr(null, th({ scope: 'row' }, first), rest.map(cell => td(null, cell)))))));

function History({ minutes, now }) {
  const { answer: history } = usePolled(() => api.history(minutes), 5 * EVERY, []);
  const drawn = useMemo(() => history && seriesOf(history, now), [history, now]);
  return drawn && div({ class: 'charts' },
    h(Chart, { title: t.depth, times: drawn.times, series: drawn.depth }),
    h(Chart, { title: t.age, times: drawn.times, series: drawn.age }),
    h(Chart, { title: t.throughput, times: drawn.times, series: drawn.ended, bars: true }));
}

/** Samples come once a minute; what is there now is known anyway. */
function seriesOf({ buckets: sampled }, { pending, running, oldest_seconds } = {}) {
  const buckets = [...sampled.slice(0, -1), { ...sampled.at(-1), pending, running, oldest_seconds }];
  const line = (name, colour) => ({ name: t.series[name], colour, values: buckets.map(bucket => bucket[name]) });
  return {
    times: buckets.map(bucket => new Date(bucket.at) / 1000),
    depth: [line('pending', '--warm'), line('running', '--blue')],
    age: [{ name: t.series.oldest, colour: '--warm', values: buckets.map(bucket => bucket.oldest_seconds) }],
    ended: [line('done', '--good'), line('failed', '--bad'), line('cancelled', '--edge'), line('rescued', '--warm')],
  };
}

function Failures({ minutes }) {
  const { answer: found } = usePolled(() => api.failures(minutes), 5 * EVERY, []);
  return found && section({ class: 'panel', 'aria-labelledby': 'failures-heading' },
    h2({ id: 'failures-heading' }, t.failures),
    found.failures.length
      ? h(Rows, {
        label: t.failures,
        columns: ['reason', 'backend', 'count', 'last'],
        rows: found.failures.map(one => [one.reason, one.backend ?? '–', format.number(one.count), `${format.ago(one.last_at)}, job ${one.job_id}`]),
      })
      : p({ class: 'hint' }, t.noFailures));
}

function Workers() {
  const { answer: workers } = usePolled(api.workers, EVERY, []);
  return workers && section({ class: 'panel', 'aria-labelledby': 'workers-heading' },
    h2({ id: 'workers-heading' }, t.workers),
    h(Rows, {
      label: t.workers,
      columns: ['worker', 'state', 'since', 'heartbeat', 'runs'],
      rows: workers.map(worker => [
        worker.name, worker.alive ? t.alive : t.dead, format.time(worker.started_at), format.ago(worker.heartbeat_at),
        worker.running.length ? worker.running.map(job => div({ key: job.job_id }, t.running(job))) : t.idle,
      ]),
    }));
}

function Usage() {
  const from = new Date(Date.now() - DAYS * 86_400_000).toISOString().slice(0, 10);
  const { answer: found } = usePolled(() => api.usage(from), 60_000, []);
  const drawn = useMemo(() => {
    if (!found) {
      return null;
    }
    const days = new Map(found.usage.map(one => [one.day, one]));
    const times = [...Array(DAYS + 1).keys()].map(ago => Date.parse(from) / 1000 + ago * 86_400);
    const of = (name, seconds) => Number(days.get(new Date(seconds * 1000).toISOString().slice(0, 10))?.[name] ?? 0);
    return {
      times,
      images: [{ name: t.series.images, colour: '--accent', values: times.map(time => of('images', time)) }],
      cost: [{ name: t.series.cost, colour: '--warm', values: times.map(time => of('cost_usd', time)) }],
    };
  }, [found]);
  return drawn && section({ class: 'panel', 'aria-label': t.usage }, div({ class: 'charts' },
    h(Chart, { title: t.usage, times: drawn.times, series: drawn.images, bars: true, days: true }),
    h(Chart, { title: t.cost, times: drawn.times, series: drawn.cost, bars: true, days: true })));
}

const MOVES = {
  cancelPending: filter => api.cancelMany({ ...filter, status: 'pending' }),
  cancelRunning: filter => api.cancelMany({ ...filter, status: 'running' }),
  retryFailed: filter => api.retryMany({ ...filter, status: 'failed' }),
};

function Many({ backends, again }) {
  const [backend, setBackend] = useState('');
  const [owner, setOwner] = useState('');
  const [asked, setAsked] = useState(null);
  async function run(name) {
    setAsked(null);
    try {
      const filter = { ...(backend && { backend }), ...(owner.trim() && { owner_user_id: owner.trim() }) };
      const answer = await MOVES[name](filter);
      toast(t.moved((answer.cancelled ?? 0) + (answer.asked ?? 0) + (answer.retried ?? 0), answer.more));
      again();
    } catch (e) {
      toastError(e);
    }
  }
  return section({ class: 'panel', 'aria-labelledby': 'many-heading' },
    h2({ id: 'many-heading' }, t.many),
    div({ class: 'many' },
      div({ class: 'field' }, label({ for: 'many-backend' }, t.columns.backend),
        select({ id: 'many-backend', value: backend, onChange: event => setBackend(event.target.value) },
          option({ value: '' }, t.all), backends.map(one => option({ key: one, value: one }, one)))),
      div({ class: 'field' }, label({ for: 'many-owner' }, t.owner),
        input({ id: 'many-owner', value: owner, placeholder: t.ownerHint, onInput: event => setOwner(event.target.value) })),
      button({ type: 'button', onClick: () => setAsked('cancelPending') }, t.cancelPending),
      button({ type: 'button', onClick: () => setAsked('cancelRunning') }, t.cancelRunning),
      button({ type: 'button', onClick: () => setAsked('retryFailed') }, t.retryFailed)),
    asked && h(Sure, { question: t.sureOf(t.sure[asked], backend, owner.trim()), yes: () => run(asked), no: () => setAsked(null) }));
}

function Sure({ question, yes, no }) {
  const element = useRef();
  useEffect(() => {
    const opened = element.current;
    opened.showModal();
    return () => opened.close();
  }, []);
  return dialog({ class: 'sure', ref: element, 'aria-label': question, onCancel: no },
    p(null, question),
    div({ class: 'actions' },
      button({ type: 'button', onClick: no }, t.no),
      button({ type: 'button', class: 'primary', onClick: yes }, t.yes)));
}
