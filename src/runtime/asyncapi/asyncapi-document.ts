import { isCommandContract } from '../../actor/define-command.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import type { EventContract } from '../../event/contract.js'
import { describedSchema } from '../../event/compatibility/recorded-schema.js'
import { NO_KEY } from '../../event/subject.js'
import type { Deployment } from '../deployment.js'
import { operationsOf, type Operation } from './operations.js'

// AsyncAPI 3.1.0: https://www.asyncapi.com/docs/reference/specification/v3.1.0. Its NATS binding knows nothing of JetStream,
// which is in extensions, `x-jetstream`.

export interface DocumentOptions {
  readonly title: string
  readonly version: string
}

/** An AsyncAPI document; plain JSON. */
export interface AsyncapiDocument {
  readonly asyncapi: '3.1.0'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly defaultContentType: string
  readonly channels: Readonly<Record<string, object>>
  readonly operations: Readonly<Record<string, object>>
  readonly components: Readonly<Record<string, object>>
}

/**
 * Describes a deployment: a channel for each type of each stream, under the subject that it is published to; what each
 * pipeline, rule, actor, view, handler, schedule, outbox, sink and source receives and sends; messages with the JSON Schema (draft-07) of their data and the
 * headers of CloudEvents. The same deployment gives the same document.
 */
export function asyncapiDocument(deployment: Deployment, { title, version }: DocumentOptions): AsyncapiDocument {
  const contracts = [...deployment.registry.contracts].sort((a, b) => (a.type < b.type ? -1 : 1))
  const channels: Record<string, object> = {}
  const messages: Record<string, object> = {}
  for (const contract of contracts) {
    const home = deployment.homes.get(contract.type)
    if (home === undefined) continue
    channels[channelId(home.name, contract.type)] = channelOf(contract, home)
    messages[contract.type] = messageOf(contract)
  }
  const operations = operationsOf(deployment).flatMap((operation): [string, object][] => {
    const types = operation.types.filter((type) => deployment.homes.has(type))
    // of each channel, since an operation has one
    return types.map((type) => [
      `${operation.name}-${operation.action}-${type}`,
      operationOf(deployment, operation, type),
    ])
  })
  return {
    asyncapi: '3.1.0',
    info: { title, version, description: 'Streams of events and commands, and what reads and makes them.' },
    defaultContentType: 'application/json',
    channels,
    operations: Object.fromEntries(operations),
    components: { messages, schemas: { cloudEventHeaders: HEADERS } },
  }
}

/** Ids are names of members: a type may be in one stream only. */
function channelId(stream: string, type: string): string {
  return `${stream}.${type}`
}

function channelOf(contract: EventContract, home: StreamDeclaration): object {
  const { type, keyed = false } = contract
  const { name, root, partitions, replicas, storage, maxAge, maxBytes, duplicateWindow } = home
  return {
    address: `${root}.${keyed ? '{key}' : NO_KEY}.${type}`,
    messages: { [type]: { $ref: `#/components/messages/${pointer(type)}` } },
    ...(keyed
      ? {
          parameters: {
            key: { description: 'The key, the unit of order; what a subject cannot hold is percent-encoded' },
          },
        }
      : {}),
    bindings: { nats: {} },
    'x-jetstream': { stream: name, partitions, replicas, storage, maxAge, maxBytes, duplicateWindow },
  }
}

function messageOf(contract: EventContract): object {
  const { type, version, oldest, description } = contract
  return {
    name: type,
    title: type,
    ...(description === undefined ? {} : { summary: description }),
    contentType: 'application/json',
    headers: { $ref: '#/components/schemas/cloudEventHeaders' },
    payload: describedSchema(contract),
    'x-millrace': { kind: isCommandContract(contract) ? 'command' : 'event', version, readsFrom: oldest },
  }
}

function operationOf({ homes }: Deployment, { action, kind, name, consumer }: Operation, type: string): object {
  const channel = `#/channels/${pointer(channelId(homes.get(type)?.name ?? '', type))}`
  return {
    action,
    channel: { $ref: channel },
    messages: [{ $ref: `${channel}/messages/${pointer(type)}` }],
    bindings: { nats: {} },
    'x-millrace': { kind, name },
    ...(consumer === undefined ? {} : { 'x-jetstream': { consumer } }),
  }
}

function pointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

const text = (description: string): object => ({ type: 'string', description })

/** CloudEvents 1.0.2 in binary mode: the attributes of an event are headers, their values percent-encoded. */
const HEADERS: object = {
  type: 'object',
  required: ['ce-specversion', 'ce-id', 'ce-source', 'ce-type'],
  properties: {
    'ce-specversion': { type: 'string', const: '1.0' },
    'ce-id': text('Unique together with the source'),
    'ce-source': text('URI reference of who made it'),
    'ce-type': text('The type of the event or command'),
    'ce-time': text('When it happened, RFC 3339'),
    'ce-partitionkey': text('The key'),
    'ce-dataversion': text('Version of the data; 1 where it is absent'),
    'ce-correlationid': text('What it is a part of'),
    'ce-causationid': text('Id of the event that caused it'),
    'Nats-Msg-Id': text(
      'Source and id, percent-encoded, a space between them: stored once within the duplicate window',
    ),
  },
}
