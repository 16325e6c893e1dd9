// A thread beside the one that runs everything else: it ends the process when that one gets nowhere any more, because
// code that it was given (decide, evolve, a pipeline) never returns. Nothing in the stuck thread could do it.
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { BEATS, BYTES, SEQUENCE_AT, SLOT, TEXT_AT, TEXT_LENGTH, TICKS } from './stuck-layout.js'

/** @type {{ shared: SharedArrayBuffer, limit: number, means: string }} */
const { shared, limit, means } = workerData
const numbers = new Int32Array(shared, 0, BYTES / 4)
const sequence = new Float64Array(shared, SEQUENCE_AT, 1)
const text = Buffer.from(shared, TEXT_AT)
/** @type {string[]} By slot. */
const names = []
let beats = -1
let still = 0

parentPort?.on('message', (name) => names.push(String(name)))

// ticks are counted, not time: a process that was stopped as a whole is not stuck when it goes on
setInterval(() => {
  const now = Atomics.load(numbers, BEATS)
  still = now === beats ? still + 1 : 0
  beats = now
  if (still < TICKS) return
  const slot = Atomics.load(numbers, SLOT)
  const length = Atomics.load(numbers, TEXT_LENGTH)
  const processor = names[slot - 1]
  const where =
    processor === undefined
      ? 'outside of a turn: while states were read back, or in code of its own'
      : `${processor}, at sequence ${sequence[0]}${length > 0 ? `: ${text.toString('utf8', 0, length)}` : ''}`
  const msg = `TURN_STUCK: ${means} (for ${limit} ms, ${where})`
  writeSync(2, `${JSON.stringify({ level: 60, time: Date.now(), code: 'TURN_STUCK', processor, msg })}\n`)
  process.kill(process.pid, 'SIGKILL')
}, limit / TICKS)
