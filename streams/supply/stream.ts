import { defineStream } from 'millrace'

export default defineStream({
  name: 'SUPPLY',
  root: 'supply',
  description: 'Spare parts: what was ordered, taken from stock, paid for and shipped. One key is one aggregate.',
  partitions: 4,
})
