// An LNURL service: the npm package `lnurl`, stock, with its stock backend for LND.
//
//   node service.js '{"lnd": {...}, "cert": "cert.pem", "key": "key.pem"}'
//
// `lnd` is the backend's own configuration: `baseUrl`, and `cert` and `macaroon` as paths or
// `{"data": "..."}`. It writes a line of JSON for whatever happens:
//
//   {"ready": {"version", "url", "plain_url"}}   first; plain_url is the same without TLS
//   {"offer": {"lnurl", "url", "k1"}}            for each line {"localAmt": 1, "pushAmt": 0} that it reads
//   {"received": {"method", "query"}}            then, as the package tells, of each request
//   {"processed": {"method"}}                    or
//   {"failed": {"method", "reason"}}
//
// and ends when its standard input does.
'use strict';

const fs = require('fs');
const readline = require('readline');
const tls = require('tls');
const lnurl = require('lnurl');

const options = JSON.parse(process.argv[2]);
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');

// TLS stands in front, as the package has none of its own: what it deciphers goes to the package's
// web server, which can't tell the difference.
let service;
const front = tls.createServer(
	{ cert: fs.readFileSync(options.cert), key: fs.readFileSync(options.key) },
	(socket) => service.app.webServer.emit('connection', socket)
);

// A client that goes away in the middle of a handshake is none of the service's concern.
front.on('tlsClientError', () => {});

front.listen(0, '127.0.0.1', () => {
	const url = `https://localhost:${front.address().port}`;
	service = lnurl.createServer({
		listen: false,
		url,
		lightning: { backend: 'lnd', config: options.lnd },
		store: { backend: 'memory', config: { noWarning: true } },
	});
	service.on('request:received', ({ method, req }) => say({ received: { method, query: req.query } }));
	service.on('request:processed', ({ method }) => say({ processed: { method } }));
	service.on('request:failed', ({ method, reason }) => say({ failed: { method, reason } }));
	const plain = service.app.webServer;
	plain.listen(0, '127.0.0.1', () => {
		const { version } = require('lnurl/package.json');
		say({ ready: { version, url, plain_url: `http://127.0.0.1:${plain.address().port}` } });
	});
});

readline
	.createInterface({ input: process.stdin })
	.on('line', async (line) => {
		const { encoded, url, secret } = await service.generateNewUrl('channelRequest', JSON.parse(line));
		say({ offer: { lnurl: encoded, url, k1: secret } });
	})
	.on('close', () => process.exit());
