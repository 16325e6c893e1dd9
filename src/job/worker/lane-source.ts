import type { StreamDeclaration } from '../../broker/define-stream.js'
import type { WorkConsumer } from '../../broker/work-consumer.js'
import type { Lane } from '../job-event.js'
import { laneSubject } from '../job-streams.js'
import type { LaneShare } from '../lane-schedule.js'

/** How lanes share tokens while they wait, and the places that urgent jobs find free. */
export const LANE_SHARES: readonly (LaneShare & { readonly name: Lane })[] = [
  { name: 'urgent', weight: 8, reserved: 1 },
  { name: 'standard', weight: 3 },
  { name: 'batch', weight: 1 },
]

/** How many of a lane wait in a process: what waits here is out of the hands of others. */
export const PREFETCH: Readonly<Record<Lane, number>> = { urgent: 16, standard: 16, batch: 2 }

/** How long the server waits for a sign of life of who has a job, in ms: not as long as a call takes. */
export const ACK_WAIT_MS = 30_000
const MOST_PENDING = 10_000
/** How often a job is given to somebody is no reason to give it up: the log says how often it was begun. */
const NO_LIMIT = -1

/** Durable name of the consumer of a lane. */
export function laneConsumerName(lane: Lane): string {
  return `jobs-${lane}`
}

/** The consumer of one lane of a queue. */
export function jobConsumer(queue: StreamDeclaration, lane: Lane, ackWait = ACK_WAIT_MS): WorkConsumer {
  return {
    stream: queue.name,
    name: laneConsumerName(lane),
    description: `Jobs of the lane ${lane}`,
    filters: [laneSubject(queue.name, lane)],
    ackWait,
    maxAckPending: MOST_PENDING,
    maxDeliver: NO_LIMIT,
  }
}
