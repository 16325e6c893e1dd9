import type { ReadingReport } from '../../replay/explain/readings.js'
import { plain } from '../backtest/plain.js'
import type { Output } from '../output.js'
import { count, counted } from '../table.js'

/** What a detector made of the values of a key: its alarms, and what came nearest to one. */
export function printReadings(out: Output, readings: readonly ReadingReport[], show: number): void {
  const last = readings.at(-1)
  if (last === undefined) return out.line('the range has no value of this key that the rule reads')
  const alarms = readings.filter(({ alarm }) => alarm)
  out.line(`${counted(readings.length, 'value')}, ${counted(alarms.length, 'alarm')}`)
  for (const reading of alarms.slice(-show)) out.line(`  ${out.style('green', 'alarm')}: ${inWords(reading)}`)
  if (alarms.length > show)
    out.line(out.style('gray', `  and ${count(alarms.length - show)} before; --show or --json has them`))
  const others = readings.filter(({ alarm }) => !alarm)
  if (others.length === 0) return
  const nearest = [...others].sort((one, other) => (other.score ?? -1) - (one.score ?? -1)).slice(0, show)
  out.line(others.length > nearest.length ? 'no alarm, those that came nearest to one:' : 'no alarm:')
  for (const reading of others.filter((one) => nearest.includes(one)))
    out.line(`  ${inWords(reading)}: ${plain(reading.why)}`)
  if (!nearest.includes(last) && !last.alarm) out.line(`  the last one: ${inWords(last)}: ${plain(last.why)}`)
}

function inWords({ event, time, value, score, threshold, lower, upper, expected }: ReadingReport): string {
  const where = `${event.type} (sequence ${event.sequence}, ${event.time})`
  if (value === null) return `nothing by ${time} after ${where}`
  const scored = score === null ? 'has no score' : `scored ${short(score)} of ${short(threshold)}`
  const band = lower !== null && upper !== null ? `${short(lower)} to ${short(upper)}` : undefined
  const wanted = band ?? (expected === null ? undefined : short(expected))
  return `${where} ${[value].flat().map(short).join(', ')} ${scored}${wanted === undefined ? '' : `, expected ${wanted}`}`
}

/** Four digits are enough to see what is larger. */
function short(value: number): string {
  return String(Number(value.toPrecision(4)))
}
