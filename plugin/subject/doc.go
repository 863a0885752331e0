// Package subject is what a verb is about: one entry of one route object, with everything that gives its destinations
// their names and the gateways that serve it.
//
// It takes a client, a NAME and --route, and gives a [Subject] whose Entry plugin/route can plan on. It refuses to change
// anything. The subtle point: what may not be read beside the object (Services, DestinationRules) only narrows how
// destinations can be called, so it is a warning; what may not be read of the gateways decides whether a change can be
// followed at all, so it is an error of the verbs that need them.
package subject
