import type { EventReport, MatchReport } from '../../replay/backtest/found-match.js'
import type { BacktestReport, DifferenceReport, OutputReport } from '../../replay/backtest/report.js'
import type { ScoreReport } from '../../replay/backtest/score.js'
import { formatDuration } from '../../time/duration.js'
import { count } from '../table.js'
import { html, Markup, type Part } from './markup.js'
import { PAGE_STYLE } from './page-style.js'
import { percent, problemsOf } from './print-backtest.js'
import { timelinePicture } from './timeline-picture.js'

/** Most matches and examples in the page; what is left out is counted. */
const MOST_ROWS = 500
const MOST_EVENTS = 20
const MOST_DATA = 300

/**
 * A report as one page that needs no other file and no network: it can be mailed, and opened anywhere. Whatever is in the
 * events and the rule is text in it.
 */
export function reportPage(report: BacktestReport): string {
  const { rule, stream, range, score, difference } = report
  const title = `${rule.name}: backtest over ${stream}`
  const notes = problemsOf(report)
  const span = range.begins === null ? range.ends : `${range.begins} to ${range.ends}`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="generator" content="millrace backtest" />
        <title>${title}</title>
        <style>
          ${new Markup(PAGE_STYLE)}
        </style>
      </head>
      <body>
        <header>
          <h1>${rule.name}</h1>
          <p>
            Backtest over <b>${stream}</b>, sequences ${count(range.first)} to ${count(range.last)}, stored ${span}.
            Nothing was published.
          </p>
          ${range.before.events > 0 && html`<p class="soft">${count(range.before.events)} events before it were read for what began earlier; ${count(range.before.matches)} matches among them are not counted.</p>`}
        </header>
        <main>
          ${figures(report)}
          ${notes.length > 0 && html`<div class="notes" role="note">${notes.map((note) => html`<p>${note}</p>`)}</div>`}
          <section>
            <h2>Timeline</h2>
            ${timelinePicture(report)}
          </section>
          ${score !== null && scoreSection(score, report.scoreAgainst)}
          ${difference !== null && differenceSection(difference)}
          <section>
            <h2>Matches</h2>
            ${matchTable(report.found.slice(0, MOST_ROWS), report.matches)}
          </section>
          ${
            rule.text !== null &&
            html`<section>
              <h2>The rule</h2>
              <p class="soft">${rule.file ?? ''} <code>${rule.hash}</code></p>
              <pre tabindex="0"><code>${rule.text}</code></pre>
            </section>`
          }
        </main>
      </body>
    </html> `.text
}

function figures({ matches, events, score, difference, speed }: BacktestReport): Markup {
  const figure = (name: string, value: Part, detail: Part = null): Markup =>
    html`<div>
      <dt>${name}</dt>
      <dd>${value}${detail !== null && html`<small>${detail}</small>`}</dd>
    </div>`
  const seconds = formatDuration(Math.round(speed.seconds * 1_000))
  return html`<dl class="figures">
    ${figure('Matches', count(matches))}${figure('Events', count(events), `${count(speed.eventsPerSecond)}/s in ${seconds}`)}
    ${score !== null && html`${figure('Precision', percent(score.precision))}${figure('Recall', percent(score.recall))}`}
    ${difference !== null && html`${figure('In both', count(difference.common))}${figure('Only here', count(difference.onlyHere))}${figure('Only there', count(difference.onlyThere))}`}
  </dl>`
}

function scoreSection(score: ScoreReport, against: ScoreReport | null): Markup {
  const { label, by, kind, truePositives, matches, found, labelled, examples } = score
  const what = by === 'key' ? 'keys' : kind === 'event' ? 'label events' : 'labelled events'
  const bar = (name: string, value: number | null, look: string): Markup =>
    html`<span>${name}</span
      ><svg
        class="bar"
        viewBox="0 0 100 1"
        preserveAspectRatio="none"
        role="img"
        aria-label="${name} ${percent(value)}"
      >
        <rect class="${look}" width="${(value ?? 0) * 100}" height="1"></rect></svg
      ><b>${percent(value)}</b>`
  const bars = (one: ScoreReport, look: string): Markup =>
    html`<div class="bars">
      ${bar('Precision', one.precision, look)}${bar('Recall', one.recall, look)}${bar('F1', one.f1, look)}
    </div>`
  const missed = html`<details>
    <summary>What it missed</summary>
    <ul>
      ${examples.missed.map(({ key, sequence }) => html`<li>${key}, sequence ${count(sequence)}</li>`)}
    </ul>
  </details>`
  return html`<section>
    <h2>Against the label</h2>
    <p>
      <code>${label}</code>: ${count(truePositives)} of ${count(matches)} matches are right, ${count(found)} of
      ${count(labelled)} ${what} were found.
    </p>
    ${bars(score, 'here')}${
      against !== null &&
      html`<h3>The other rule</h3>
        ${bars(against, 'there')}`
    }${examples.missed.length > 0 && missed}
  </section>`
}

function differenceSection(difference: DifferenceReport): Markup {
  const { kind, common, otherwise, onlyHere, onlyThere, ahead, same, examples } = difference
  const rows: readonly (readonly [string, number])[] = [
    ['In both', common],
    [kind === 'live' ? 'With other content' : 'With other events', otherwise],
    ['Only here', onlyHere],
    ['Only there', onlyThere],
    ['Not yet live', ahead],
  ]
  const shown = rows.filter(([name, times]) => times > 0 || !name.startsWith('Not'))
  const verdict = same ? html`<b class="good">the same</b>` : html`<b class="bad">not the same</b>`
  return html`<section>
    <h2>Compared with ${difference.with}</h2>
    <p>It is ${verdict}.</p>
    <div class="scroll">
      <table>
        <tbody>
          ${shown.map(
            ([name, times]) =>
              html`<tr>
                <th scope="row">${name}</th>
                <td class="number">${count(times)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${
      examples.onlyHere.length > 0 &&
      html`<h3>Only here</h3>
        ${matchTable(
          examples.onlyHere.map(({ match }) => match),
          onlyHere,
          examples.onlyHere.map(({ why }) => why),
        )}`
    }
    ${
      examples.onlyThere.length > 0 &&
      html`<h3>Only there</h3>
        ${onlyThereOf(difference)}`
    }
    ${
      examples.otherwise.length > 0 &&
      html`<h3>${rows[1]?.[0] ?? ''}</h3>
        <ul>
          ${examples.otherwise.map(({ here, there }) => html`<li>${here.key} at ${here.time}: here ${contentOf(here)}, there ${contentOf(there)}</li>`)}
        </ul>`
    }
  </section>`
}

function onlyThereOf({ examples, onlyThere }: DifferenceReport): Markup {
  const matches = examples.onlyThere.filter((one) => 'match' in one)
  const outputs = examples.onlyThere.filter((one) => 'output' in one)
  if (matches.length > 0)
    return matchTable(
      matches.map(({ match }) => match),
      onlyThere,
      matches.map(({ why }) => why),
    )
  return html`<div class="scroll">
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">Key</th>
          <th scope="col">Time</th>
          <th scope="col">Emitted</th>
        </tr>
      </thead>
      <tbody>
        ${outputs.map(
          ({ output }) =>
            html`<tr>
              <td>${output.key ?? ''}</td>
              <td class="time">${output.time}</td>
              <td>${output.type} by sequence ${count(output.cause)} <code>${dataOf(output.data)}</code></td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

function contentOf(one: MatchReport | OutputReport): Markup {
  if (!('stages' in one)) return html`<code>${dataOf(one.data)}</code>`
  const sequences = Object.values(one.stages).flatMap((events) => events.map(({ sequence }) => sequence))
  return html`sequences ${sequences.slice(0, MOST_EVENTS).join(', ')}`
}

function matchTable(matches: readonly MatchReport[], total: number, why: readonly (string | null)[] = []): Markup {
  if (matches.length === 0) return html`<p class="soft">None.</p>`
  const rows = matches.map((match, at) => {
    const emits =
      match.emits === null
        ? html`<span class="bad">cannot be emitted: ${match.problem ?? ''}</span>`
        : html`${match.emits.type} <code>${dataOf(match.emits.data)}</code>`
    return html`<tr>
      <td><b>${match.key}</b></td>
      <td class="time">${match.time}</td>
      <td>${emits}${why[at] && html`<p>${why[at]}</p>`}${eventsOf(match)}</td>
    </tr>`
  })
  const rest = total - matches.length
  return html`<div class="scroll">
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Time</th>
            <th scope="col">Emits, and its events</th>
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
    ${rest > 0 && html`<p class="soft">and ${count(rest)} more; <code>--out</code> writes all of them.</p>`}`
}

function eventsOf({ stages }: MatchReport): Markup {
  const entries = Object.entries(stages)
  const all = entries.reduce((sum, [, events]) => sum + events.length, 0)
  const item = (stage: string, event: EventReport): Markup =>
    html`<li>
      <b>${stage}</b> ${event.type}, sequence ${count(event.sequence)}, ${event.time} <code>${dataOf(event.data)}</code>
    </li>`
  const items = entries.flatMap(([stage, events]) => events.map((event) => item(stage, event)))
  return html`<details>
    <summary>${count(all)} ${all === 1 ? 'event' : 'events'}</summary>
    <ul>
      ${items.slice(0, MOST_EVENTS)}
    </ul>
    ${all > MOST_EVENTS && html`<p class="soft">and ${count(all - MOST_EVENTS)} more</p>`}
  </details>`
}

function dataOf(data: unknown): string {
  const text = JSON.stringify(data) ?? ''
  return text.length > MOST_DATA ? `${text.slice(0, MOST_DATA)}…` : text
}
