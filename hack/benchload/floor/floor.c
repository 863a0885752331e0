// The floor: what a client costs that does nothing but the kernel's work. One epoll set, one read and one write a request,
// nothing parsed, nothing recorded. Usage: floor PORT CONNECTIONS; it runs until it is killed.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

int main(int argc, char **argv) {
	if (argc != 3) return 2;
	int set = epoll_create1(0), on = 1;
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	for (int i = atoi(argv[2]); i > 0; i--) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&to, sizeof to)) return perror("connect"), 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.fd = fd};
		if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &e)) return perror("epoll_ctl"), 1;
		if (write(fd, request, sizeof request - 1) < 0) return perror("write"), 1;
	}
	static struct epoll_event events[256];
	static char buf[65536];
	for (;;) {
		int n = epoll_wait(set, events, 256, -1);
		for (int i = 0; i < n; i++) {
			if (read(events[i].data.fd, buf, sizeof buf) <= 0) return 1;
			if (write(events[i].data.fd, request, sizeof request - 1) < 0) return 1;
		}
	}
}
