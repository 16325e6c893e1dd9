// Places among the jobs that are asked: left while an answer is recorded, and taken again where it is not the end.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { LaneSchedule } from '../../../src/job/lane-schedule.ts'
import type { Lane } from '../../../src/job/job-event.ts'
import { LANE_SHARES } from '../../../src/job/worker/lane-source.ts'
import { Seats, type JobSeat } from '../../../src/job/worker/seats.ts'

const test = suite('places among the jobs that are asked')

/** As many places as are said, and jobs that begin as there are. */
class Table {
  readonly schedule = new LaneSchedule<number>(LANE_SHARES)
  readonly seated = new Set<number>()
  readonly jobs = new Map<number, { readonly seat: JobSeat; readonly giveUp: AbortController }>()
  readonly seats: Seats
  places: number
  begun = 0

  constructor(places: number) {
    this.places = places
    this.seats = new Seats(
      this.schedule,
      () => this.places,
      () => this.pump(),
    )
  }

  add(lane: Lane): void {
    this.schedule.add(lane, { tenant: 'a', cost: 10, item: (this.begun += 1) })
    this.pump()
  }

  pump(): void {
    this.seats.fill()
    for (let taken = this.schedule.next(this.places); taken !== undefined; taken = this.schedule.next(this.places)) {
      const giveUp = new AbortController()
      this.jobs.set(taken.item, { seat: this.seats.of(taken.lane as Lane, giveUp.signal), giveUp })
      this.seated.add(taken.item)
    }
  }

  leave(job: number): void {
    this.seated.delete(job)
    this.jobs.get(job)?.seat.leave()
  }

  take(job: number): Promise<void> | undefined {
    return this.jobs
      .get(job)
      ?.seat.take()
      .then(() => void this.seated.add(job))
  }

  end(job: number): void {
    this.seated.delete(job)
    this.jobs.get(job)?.seat.end()
    this.jobs.delete(job)
    this.pump()
  }
}

test('JW5 a place that is left is taken by another one, and who comes back waits for one, before others', async () => {
  const table = new Table(1)
  for (let job = 0; job < 3; job++) table.add('standard')
  assert.equal([...table.seated], [1])
  table.leave(1)
  assert.equal([...table.seated], [2])
  const back = table.take(1)
  await Promise.resolve()
  assert.equal([...table.seated], [2])
  table.end(2)
  await back
  assert.equal([...table.seated], [1])
  table.end(1)
  assert.equal([...table.seated], [3])
})

test('JW5 who waits for a place and is ended waits no more', async () => {
  const table = new Table(1)
  for (let job = 0; job < 2; job++) table.add('standard')
  table.leave(1)
  const reason = new Error('lost')
  const back = table.take(1)?.catch((error: unknown) => error)
  table.jobs.get(1)?.giveUp.abort(reason)
  assert.is(await back, reason)
  table.end(1)
  table.end(2)
  assert.is(table.schedule.running, 0)
})

test('JW5 whatever is begun, left, taken again and ended: never more than places, none is lost, and those kept for urgent are free', async () => {
  const step = fc.record({
    what: fc.constantFrom('add', 'leave', 'take', 'end'),
    lane: fc.constantFrom<Lane>('standard', 'batch', 'urgent'),
    at: fc.nat(20),
  })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), async (places, steps) => {
      const table = new Table(places)
      const returning = new Set<number>()
      for (const { what, lane, at } of steps) {
        const job = [...table.jobs.keys()][at % Math.max(1, table.jobs.size)] ?? 0
        if (what === 'add') table.add(lane)
        else if (what === 'leave' && table.seated.has(job)) table.leave(job)
        else if (what === 'take' && table.jobs.has(job) && !table.seated.has(job) && !returning.has(job)) {
          returning.add(job)
          void table.take(job)?.then(() => returning.delete(job))
        } else if (what === 'end' && table.seated.has(job)) table.end(job)
        for (let turn = 0; turn < 4; turn++) await Promise.resolve()
        assert.ok(table.seated.size <= places)
        assert.is(table.schedule.running, table.seated.size)
      }
      // everybody comes to an end
      for (let round = 0; table.jobs.size > 0 && round < 200; round++) {
        const [seated] = table.seated
        if (seated !== undefined) table.end(seated)
        else for (const job of table.jobs.keys()) if (!returning.has(job)) void table.take(job)
        for (let turn = 0; turn < 4; turn++) await Promise.resolve()
      }
      assert.equal([table.jobs.size, table.schedule.size, table.schedule.running], [0, 0, 0])
    }),
  )
})

test.run()
