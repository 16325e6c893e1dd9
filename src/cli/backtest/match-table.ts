import type { EventReport, MatchReport } from '../../replay/backtest/found-match.js'
import { count } from '../table.js'
import { html, type Markup } from './markup.js'

/** Most events of a match that are listed. */
const MOST_EVENTS = 20
/** Longer data is cut. */
const MOST_DATA = 300

/**
 * Matches with what they emit and their events.
 * @param total how many there are, when these are the first of them
 * @param why of each match, why the other side does not have it
 */
export function matchTable(
  matches: readonly MatchReport[],
  total: number,
  why: readonly (string | null)[] = [],
): Markup {
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

/** Data as text, as much of it as fits a table. */
export function dataOf(data: unknown): string {
  const text = JSON.stringify(data) ?? ''
  return text.length > MOST_DATA ? `${text.slice(0, MOST_DATA)}…` : text
}
