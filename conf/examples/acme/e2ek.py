# SPDX-License-Identifier: GPL-2.0-or-later
"""A plugin of ACME that lets it carry end-to-end key establishment between an initiator and e2ekeyd.

ACME refuses two requests that it should only forward (TS-0004 7.3.2.6): a Notify whose content is
m2m:securityInfo and not m2m:sgn, and a Create of an <e2EKeyCSE>, whose resource type it does not know.
With this plugin it forwards both, as they came. All other requests, and these two where they are for
ACME itself, are treated as without it."""

from acmecse.etc.IDUtils import localResourceID
from acmecse.etc.ResponseStatusCodes import ResponseException
from acmecse.etc.Types import CSERequest, Operation, ResourceTypes
from acmecse.runtime.Logging import Logging as L
from acmecse.runtime.PluginSupport import plugin, requires, start, stop

RESOURCE_TYPE = 30001               # cse.resourceType of e2ekeyd's policy
MESSAGE_OF_ESTABLISHMENT = 6        # securityInfoType: End-to-End Certificate-based Key Establishment


class SecurityInfo(dict):
    """The content of a notification that says it has an m2m:sgn, which is all that ACME asks of it.
    What is sent is what it holds."""

    def __contains__(self, name):
        return name == 'm2m:sgn' or super().__contains__(name)


def is_establishment(content):
    """Whether CONTENT is {"m2m:seci": {"sit": 6, "eckm": …}} and nothing else."""
    if not isinstance(content, dict) or list(content) != ['m2m:seci']:
        return False
    info = content['m2m:seci']
    return isinstance(info, dict) and isinstance(info.get('eckm'), str) \
        and info.get('sit') == MESSAGE_OF_ESTABLISHMENT


def is_create(request):
    """Whether REQUEST, as it came, creates an <e2EKeyCSE> at another CSE."""
    to = request.get('to')
    return request.get('op') == Operation.CREATE and request.get('ty') == RESOURCE_TYPE \
        and isinstance(to, str) and localResourceID(to) is None


@plugin
@requires(requests='acmecse.services.RequestManager')
@requires(dispatcher='acmecse.services.Dispatcher')
class EndToEndKeys:
    """Stands before the one function through which the requests of every binding come."""

    requests = None     # both set by ACME
    dispatcher = None
    validate = None     # ACME's own function, while this stands before it

    @start
    def start(self):
        here = self

        def validate(manager, request, isResponse=False):
            return here.fill(manager, request, isResponse)

        owner = type(self.requests)
        self.validate = owner.fillAndValidateCSERequest
        owner.fillAndValidateCSERequest = validate
        L.isInfo and L.log('e2ek: end-to-end key establishment is forwarded')

    @stop
    def stop(self):
        type(self.requests).fillAndValidateCSERequest = self.validate

    def fill(self, manager, request, is_response):
        came = request.originalRequest if isinstance(request, CSERequest) else request
        if is_response or not isinstance(came, dict) or 'rsc' in came:
            return self.validate(manager, request, is_response)
        if is_create(came):
            return self.fill_create(manager, request, came)
        filled = self.validate(manager, request, is_response)
        if filled.op == Operation.NOTIFY and is_establishment(filled.pc) and self.goes_on(filled):
            filled.pc = SecurityInfo(filled.pc)
        return filled

    def fill_create(self, manager, request, came):
        """ACME checks everything but the type, which it would refuse, and forwards it with the type."""
        del came['ty']
        try:
            filled = self.validate(manager, request, False)
        finally:
            came['ty'] = RESOURCE_TYPE
        filled.ty = RESOURCE_TYPE
        return filled

    def goes_on(self, request):
        """Whether ACME sends a Notify on: to another CSE, or to who stands behind an <AE> or
        <remoteCSE> of its own."""
        if localResourceID(request.id) is None:
            return True
        try:
            return self.dispatcher.retrieveResource(request.id).ty in (ResourceTypes.AE, ResourceTypes.CSR)
        except ResponseException:
            return False
