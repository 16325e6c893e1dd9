import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of finding, starting and stopping a nats-server, and of reading NATS contexts. */
export const SERVER_ERRORS = {
  SERVER_BINARY_MISSING: {
    disposition: 'reject',
    means: 'no nats-server 2.14 or newer was found, and none could be fetched',
    advice:
      'Install one (macOS: brew install nats-server · Windows: scoop install nats-server), set NATS_SERVER_BIN to its path, or run docker run -p 127.0.0.1:4222:4222 nats:2.14-alpine -js and set MILLRACE_NATS_URL=nats://127.0.0.1:4222',
    exit: EXIT.connection,
    status: 503,
  },
  SERVER_BINARY_UNUSABLE: {
    disposition: 'reject',
    means: 'NATS_SERVER_BIN does not name a nats-server that runs here',
    advice: 'Set NATS_SERVER_BIN to the path of an executable nats-server for this machine, or unset it',
    exit: EXIT.usage,
    status: 503,
  },
  SERVER_BINARY_TOO_OLD: {
    disposition: 'reject',
    means: 'NATS_SERVER_BIN names a nats-server older than 2.14',
    advice: 'Set NATS_SERVER_BIN to a nats-server 2.14 or newer, or unset it to let Millrace find one',
    exit: EXIT.usage,
    status: 503,
  },
  SERVER_PORT_BUSY: {
    disposition: 'reject',
    means: 'the port for the embedded nats-server is taken by another process',
    advice: 'Stop the other process, choose another port, or leave the port out to get a free one',
    exit: EXIT.conflict,
    status: 409,
  },
  SERVER_START_FAILED: {
    disposition: 'crash',
    means: 'the embedded nats-server did not become ready',
    advice: 'Read its last log lines in the detail; the data directory is unchanged and can be used again',
    exit: EXIT.connection,
    status: 503,
  },
  SERVER_DATA_DIR_LOCKED: {
    disposition: 'reject',
    means: 'another process runs a nats-server on this data directory',
    advice: 'Stop that process, or use another data directory; two servers on one directory would destroy it',
    exit: EXIT.conflict,
    status: 409,
  },
  SERVER_DATA_DIR_UNUSABLE: {
    disposition: 'reject',
    means: 'the data directory of the embedded nats-server cannot be used',
    advice: 'Make it a writable directory on a disk with free space, or choose another',
    exit: EXIT.failure,
    status: 507,
  },
  CONTEXT_NOT_FOUND: {
    disposition: 'reject',
    means: 'there is no NATS context of that name',
    advice: 'List them with nats context ls, or leave the name out',
    exit: EXIT.notFound,
    status: 404,
  },
  CONTEXT_INVALID: {
    disposition: 'reject',
    means: 'a NATS context cannot be used as it is',
    advice: 'Correct it with nats context edit, or pass --server with the credentials it should have',
    exit: EXIT.usage,
    status: 400,
  },
} as const satisfies Record<string, ErrorEntry>
