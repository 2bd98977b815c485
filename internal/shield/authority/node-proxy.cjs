// Node reads HTTPS_PROXY by itself from version 22.21 and 24 on (NODE_USE_ENV_PROXY). This teaches it to older ones: to fetch,
// and to http and https where a program brings no agent of its own.
'use strict';
const [major, minor] = process.versions.node.split('.').map(Number);
const knows = major >= 24 || (major === 22 && minor >= 21);
const proxyURL = process.env.HTTPS_PROXY;
if (!knows && proxyURL) {
  const http = require('node:http');
  const https = require('node:https');
  const tls = require('node:tls');
  const net = require('node:net');
  const proxy = new URL(proxyURL);
  const credentials = 'Basic ' + Buffer.from(decodeURIComponent(proxy.username) + ':' + decodeURIComponent(proxy.password)).toString('base64');

  // tunnel asks the proxy for a connection to host and port.
  const tunnel = (host, port, done) => {
    const to = (net.isIPv6(host) ? `[${host}]` : host) + ':' + port;
    const ask = http.request({
      host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: to, agent: direct,
      headers: { host: to, 'proxy-authorization': credentials },
    });
    ask.once('connect', (answer, socket) => {
      if (answer.statusCode === 200) return done(null, socket);
      socket.destroy();
      done(new Error(`the proxy answered ${answer.statusCode} for ${to}`));
    });
    ask.once('error', done);
    ask.end();
  };
  const direct = new http.Agent();
  const secure = (socket, options, protocols) => tls.connect({
    ...options, socket, ALPNProtocols: protocols,
    servername: options.servername || (net.isIP(options.host) ? '' : options.host),
  });

  class PlainAgent extends http.Agent {
    createConnection(options, done) { tunnel(options.host, options.port, done); }
  }
  class SecureAgent extends https.Agent {
    createConnection(options, done) {
      tunnel(options.host, options.port, (error, socket) => {
        if (error) return done(error);
        done(null, secure(socket, options, ['http/1.1']));
      });
    }
  }
  http.globalAgent = new PlainAgent({ keepAlive: true });
  https.globalAgent = new SecureAgent({ keepAlive: true });

  // The class behind fetch is in no module; it is reached through the dispatcher that the first fetch makes.
  const key = Symbol.for('undici.globalDispatcher.1');
  const install = () => {
    const Agent = globalThis[key] && globalThis[key].constructor;
    if (!Agent) return;
    globalThis[key] = new Agent({
      connect: (options, done) => {
        const tlsWanted = options.protocol === 'https:';
        tunnel(options.hostname, options.port || (tlsWanted ? 443 : 80), (error, socket) => {
          if (error) return done(error, null);
          if (!tlsWanted) return done(null, socket);
          const c = secure(socket, { host: options.hostname, servername: options.servername }, ['http/1.1']);
          c.once('secureConnect', () => done(null, c));
          c.once('error', (e) => done(e, null));
        });
      },
    });
  };
  const original = globalThis.fetch;
  if (original) {
    let first = true;
    globalThis.fetch = function fetch(...args) {
      if (first) {
        first = false;
        original('data:,').catch(() => {});
        install();
      }
      return original.apply(this, args);
    };
  }
}
