import { defineStream } from 'millrace'

export default defineStream({
  name: 'RESULTS',
  root: 'results',
  description: 'What handlers of the soak have emitted',
  partitions: 4,
  // longer than the soak: what is emitted again is there once
  duplicateWindow: '60m',
})
