import { defineActor, reject } from 'millrace'
import { CancelShipment, DispatchShipment, RequestShipment } from '../commands.js'
import { ShipmentCancelled, ShipmentDispatched, ShipmentRequested } from '../events.js'

interface Shipment {
  readonly status: 'none' | 'requested' | 'dispatched' | 'cancelled'
}

/** What the carrier does with one order. */
export default defineActor({
  name: 'shipment',
  version: 1,
  initial: (): Shipment => ({ status: 'none' }),
  commands: [RequestShipment, DispatchShipment, CancelShipment],
  events: [ShipmentRequested, ShipmentDispatched, ShipmentCancelled],
  decide: {
    'shipment.request': ({ status }, { data }) => (status === 'none' ? [ShipmentRequested(data)] : []),
    'shipment.dispatch': ({ status }, { data }) =>
      status === 'requested' ? [ShipmentDispatched(data)] : reject('not-requested', `the shipment is ${status}`),
    // a request that comes after its cancellation finds it cancelled
    'shipment.cancel': ({ status }, { data }) => (status === 'cancelled' ? [] : [ShipmentCancelled(data)]),
  },
  evolve: {
    'shipment.requested': () => ({ status: 'requested' }),
    'shipment.dispatched': () => ({ status: 'dispatched' }),
    'shipment.cancelled': () => ({ status: 'cancelled' }),
  },
})
