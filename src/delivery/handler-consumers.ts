import type { StreamDeclaration } from '../broker/define-stream.js'
import type { WorkConsumer } from '../broker/work-consumer.js'
import { dueFilter } from '../broker/work-stream.js'
import { storedFilter } from '../event/subject.js'
import { DEFAULT_LANE, type HandlerDeclaration, type Lane } from './handler-options.js'

/** Durable name of the consumer of a lane; that of what is due has the name of the default lane, in its own stream. */
export function handlerConsumer(handler: string, lane: string = DEFAULT_LANE): string {
  return lane === DEFAULT_LANE ? `handler-${handler}` : `handler-${handler}-${lane}`
}

/** The consumer of one lane in the stream that the handler reads. */
export function laneConsumer(declaration: HandlerDeclaration, stream: StreamDeclaration, lane: Lane): WorkConsumer {
  return {
    stream: stream.name,
    name: handlerConsumer(declaration.name, lane.name),
    description: `${describing(declaration.name)}${lane.name === DEFAULT_LANE ? '' : `${LANE}${lane.name}`}`,
    filters: oneFilter(declaration, stream) ? [storedFilter(stream.root)] : filtersOf(stream, lane),
    ...limitsOf(declaration),
  }
}

const LANE = ', lane '

function describing(handler: string): string {
  return `Events of handler ${handler}`
}

/** Whether a consumer is that of a lane of a handler, by its description: a name may be another handler’s. */
export function isLaneOf(handler: string, description = ''): boolean {
  return description === describing(handler) || description.startsWith(`${describing(handler)}${LANE}`)
}

/** The consumer of what is due again. */
export function dueConsumer(declaration: HandlerDeclaration, work: StreamDeclaration): WorkConsumer {
  return {
    stream: work.name,
    name: handlerConsumer(declaration.name),
    description: `Events that handler ${declaration.name} handles once more`,
    filters: [dueFilter(work.name, declaration.name)],
    ...limitsOf(declaration),
  }
}

/** With a subject for each aggregate, several filters would have the server search all of them for each message. */
function oneFilter({ lanes }: HandlerDeclaration, stream: StreamDeclaration): boolean {
  return stream.aggregates === true && lanes.length === 1
}

function filtersOf(stream: StreamDeclaration, lane: Lane): readonly string[] {
  return lane.types.map((type) => storedFilter(stream.root, type))
}

function limitsOf({ ackWait, concurrency, mostDeliveries }: HandlerDeclaration) {
  return { ackWait, maxAckPending: concurrency.total, maxDeliver: mostDeliveries }
}
