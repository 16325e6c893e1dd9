import type { BacktestReport } from '../../replay/backtest/report.js'
import { formatDuration } from '../../time/duration.js'
import { count } from '../table.js'
import { html, type Markup } from './markup.js'

type Bucket = BacktestReport['timeline']['buckets'][number]
type Lane = 'events' | 'matches' | 'against'

const HEIGHT = 100

interface Drawn {
  readonly lane: Lane
  readonly look: 'events' | 'here' | 'there'
  readonly label: string
}

/** Events, matches and what they are compared with over event time, one under the other, with a table of the same. */
export function timelinePicture({ timeline, difference }: BacktestReport): Markup {
  const { buckets, width, outside } = timeline
  const [first] = buckets
  const last = buckets.at(-1)
  if (first === undefined || last === undefined) return html`<p class="soft">There is no event in the range.</p>`
  const lanes: Drawn[] = [
    { lane: 'matches', look: 'here', label: 'Matches' },
    ...(difference === null
      ? []
      : [
          {
            lane: 'against',
            look: 'there',
            label: difference.kind === 'live' ? 'Emitted live' : 'The other rule',
          } as const,
        ]),
    { lane: 'events', look: 'events', label: 'Events' },
  ]
  const middle = buckets[Math.floor(buckets.length / 2)] ?? first
  return html`${lanes.map((lane) => laneOf(lane, buckets, { width, most: mostOf(lane, buckets), shared: difference !== null }))}
    <div class="axis" aria-hidden="true">
      <span>${short(first.time)}</span> ${buckets.length > 2 && html`<span>${short(middle.time)}</span>`}<span
        >${short(last.time)}</span
      >
    </div>
    <p class="soft">
      Event time, ${formatDuration(width)} a
      bar${outside > 0 && html`; ${counted(outside)} far from all others are not shown`}.
    </p>
    ${tableOf(lanes, buckets)}`
}

/** Matches and what they are compared with have one scale. */
function mostOf({ lane }: Drawn, buckets: readonly Bucket[]): number {
  const highest = (of: Lane): number => buckets.reduce((most, bucket) => Math.max(most, bucket[of]), 0)
  return lane === 'events' ? highest('events') : Math.max(highest('matches'), highest('against'))
}

function laneOf(
  { lane, look, label }: Drawn,
  buckets: readonly Bucket[],
  { width, most, shared }: { readonly width: number; readonly most: number; readonly shared: boolean },
): Markup {
  const total = buckets.reduce((sum, bucket) => sum + bucket[lane], 0)
  const id = `lane-${lane}`
  const step = 1_000 / buckets.length
  const bars = buckets.flatMap((bucket, at) => {
    const value = bucket[lane]
    if (value === 0) return []
    const height = Math.max(3, (value / most) * (HEIGHT - 4))
    const size = html`x="${round(at * step)}" y="${round(HEIGHT - height)}" width="${round(step * 0.86)}"
    height="${round(height)}"`
    return [html`<rect class="${look}" ${size}><title>${bucket.time}: ${count(value)}</title></rect>`]
  })
  const desc = `${count(total)} in ${count(buckets.length)} bars of ${formatDuration(width)}, at most ${count(Math.max(0, ...buckets.map((bucket) => bucket[lane])))} in one`
  return html`<figure>
    <figcaption>
      <span><span class="swatch ${look}"></span>${label}: ${count(total)}</span
      ><span>${shared && lane !== 'events' ? 'both heights' : 'height'}: ${count(most)}</span>
    </figcaption>
    <svg
      class="lane${lane === 'events' ? '' : ' tall'}"
      viewBox="0 0 1000 ${HEIGHT}"
      preserveAspectRatio="none"
      role="img"
      aria-labelledby="${id}-title ${id}-desc"
    >
      <title id="${id}-title">${label} over time</title>
      <desc id="${id}-desc">${desc}</desc>
      ${bars}
    </svg>
  </figure>`
}

/** The same for who cannot see it; bars without a match are left out. */
function tableOf(lanes: readonly Drawn[], buckets: readonly Bucket[]): Markup {
  const rows = buckets.filter(({ matches, against }) => matches + against > 0)
  if (rows.length === 0) return html``
  return html`<details>
    <summary>The same as a table</summary>
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">From</th>
            ${lanes.map(({ label }) => html`<th scope="col" class="number">${label}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                <td class="time">${row.time}</td>
                ${lanes.map(({ lane }) => html`<td class="number">${count(row[lane])}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`
}

function counted(events: number): string {
  return events === 1 ? '1 event' : `${count(events)} events`
}

/** To the minute: a phone has room for two or three of them. */
function short(time: string): string {
  return time.replace('T', ' ').replace(/:\d\d(?:\.\d+)?Z$/, '')
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
