// One run as it is now: its snapshot, its newest events, and whether they still come. The events only say that
// something is new; what is shown is the daemon's own snapshot.
import {get, now, parse_line, told_first} from './api.js';
import {is_final} from './words.js';

const events_at_first = 200;
const events_kept = 2000;
const silence_allowed = 45000;  // the daemon says at least every 15 s that it is there
const poll_every = 3000;
const poll_hidden_every = 10000;
const rates_kept = 15 * 60000;

const pause = (ms) => new Promise((go_on) => setTimeout(go_on, ms));

// The fields of a text/event-stream, block by block.
async function* blocks(stream, heard) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const {value, done} = await reader.read();
    if (done) {
      return;
    }
    heard();
    const parts = (rest + value).split('\n\n');
    rest = parts.pop();
    for (const part of parts) {
      const data = part.split('\n').filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart());
      if (data.length > 0) {
        yield parse_line(data.join('\n'));
      }
    }
  }
}

export class RunFeed {
  constructor(id, changed) {
    this.path = `/api/v1/runs/${id}`;
    this.changed = changed;
    this.run = told_first(this.path);
    this.problem = undefined;
    this.link = {state: 'connecting', since: now()};
    this.events = [];
    this.rates = [];
    this.seen_at = now();
    this.after = Math.max(0, (this.run?.revision ?? 0) - events_at_first);
    this.first = this.after;
  }

  start() {
    if (!this.run) {
      this.refresh();
    }
    this.#follow();
    this.#poll();
    document.addEventListener('visibilitychange', () => document.hidden && this.stop?.abort());
  }

  #set_link(state) {
    if (this.link.state !== state) {
      this.link = {state, since: now()};
      this.changed();
    }
  }

  // An answer that was overtaken by a newer one is not shown.
  take(run) {
    this.seen_at = now();
    this.problem = undefined;
    if (!this.run || run.revision >= this.run.revision) {
      this.run = run;
      this.#remember_rate();
    }
    this.changed();
  }

  #remember_rate() {
    const fill = this.run.live?.backfill;
    if (fill) {
      const at = now();
      this.rates = this.rates.filter((rate) => rate.at > at - rates_kept);
      this.rates.push({at, rate: fill.rows_per_second, batch_ms: fill.batch_ms});
    }
  }

  // One question at a time; whoever asks meanwhile is answered by one more.
  async refresh() {
    if (this.asking) {
      this.again = true;
      return;
    }
    this.asking = true;
    try {
      this.take(await get(this.path, AbortSignal.timeout(20000)));
    } catch (error) {
      this.problem = error;
      this.changed();
    }
    this.asking = false;
    if (this.again) {
      this.again = false;
      setTimeout(() => this.refresh(), 200);
    }
  }

  add(events) {
    const last = this.events.at(-1)?.seq ?? 0;
    this.events = [...this.events, ...events.filter((event) => event.seq > last)].slice(-events_kept);
  }

  // The events before those that are shown; recorded events are numbered without gaps.
  async load_earlier() {
    const from = Math.max(0, this.first - events_at_first);
    const page = await get(`${this.path}/events?after=${from}&limit=${this.first - from}`);
    this.events = [...page.events, ...this.events];
    this.first = from;
    this.changed();
  }

  #hear(event) {
    if (event.seq > this.after) {
      this.after = event.seq;
      this.add([event]);
    }
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.refresh(), 60);
  }

  async #read_stream() {
    this.stop = new AbortController();
    let quiet;
    const heard = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => this.stop.abort(), silence_allowed);
    };
    try {
      heard();
      const reply = await fetch(`${this.path}/events`, {
        signal: this.stop.signal,
        headers: {Accept: 'text/event-stream', 'Last-Event-ID': String(this.after)},
      });
      if (!reply.ok) {
        return;
      }
      this.#set_link('live');
      for await (const event of blocks(reply.body, heard)) {
        this.#hear(event);
      }
    } catch {
      // it was cut, or stopped by us: what was missed comes with the next one
    } finally {
      clearTimeout(quiet);
    }
  }

  async #follow() {
    for (let wait = 500; ; wait = Math.min(wait * 2, 10000)) {
      if (document.hidden) {
        this.#set_link('hidden');
        await pause(500);
        wait = 250;
        continue;
      }
      const began = now();
      await this.#read_stream();
      if (this.run && is_final(this.run.state)) {
        this.#set_link('ended');
        await this.#until_it_goes_on();
        continue;
      }
      this.#set_link(document.hidden ? 'hidden' : 'lost');
      if (now() - began > 10000) {
        wait = 500;
      }
      await pause(wait);
    }
  }

  // A run that succeeded can still be rolled back.
  async #until_it_goes_on() {
    while (is_final(this.run.state)) {
      await pause(500);
    }
  }

  // While the stream is away, as long as nobody looks, and until a question that failed is answered.
  async #poll() {
    for (;;) {
      await pause(document.hidden ? poll_hidden_every : poll_every);
      if (this.link.state !== 'live' || this.problem) {
        await this.refresh();
      }
    }
  }
}
